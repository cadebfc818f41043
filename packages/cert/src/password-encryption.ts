import { createCipheriv, createDecipheriv, pbkdf2, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { algorithmIdentifier, integer, nullValue, octetString, sequence } from "./der-writer.ts";
import { children, DER_TAG, readElement, type DerElement } from "./der.ts";
import { formatObjectIdentifier } from "./object-identifier.ts";
import { derivePkcs12Key, KEY_PURPOSE } from "./pkcs12-key-derivation.ts";

/** About three seconds; NSS writes 600,000 for each part, OpenSSL 2048, Java 10,000. */
const MAX_ITERATIONS = 4_000_000;
const SALT_BYTES = 16;

const OID = {
  pbes2: "1.2.840.113549.1.5.13",
  pbkdf2: "1.2.840.113549.1.5.12",
  scrypt: "1.3.6.1.4.1.11591.4.11",
  hmacWithSha256: "1.2.840.113549.2.9",
  aes256Cbc: "2.16.840.1.101.3.4.1.42",
  pbeWithSha1And3Des: "1.2.840.113549.1.12.1.3",
} as const;

/** RFC 8018 appendix B.1; absent parameters mean the first. */
const HMAC_DIGESTS: Readonly<Record<string, string>> = {
  "1.2.840.113549.2.7": "sha1",
  "1.2.840.113549.2.8": "sha224",
  "1.2.840.113549.2.9": "sha256",
  "1.2.840.113549.2.10": "sha384",
  "1.2.840.113549.2.11": "sha512",
};

interface Cipher {
  readonly name: string;
  readonly keyBytes: number;
}

const CIPHERS: Readonly<Record<string, Cipher>> = {
  "2.16.840.1.101.3.4.1.2": { name: "aes-128-cbc", keyBytes: 16 },
  "2.16.840.1.101.3.4.1.22": { name: "aes-192-cbc", keyBytes: 24 },
  "2.16.840.1.101.3.4.1.42": { name: "aes-256-cbc", keyBytes: 32 },
  "1.2.840.113549.3.7": { name: "des-ede3-cbc", keyBytes: 24 },
};

/** Schemes that OpenSSL 3 keeps in its legacy provider, which Node does not load. */
const UNREADABLE_SCHEMES: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.12.1.1": "RC4 of 128 bits",
  "1.2.840.113549.1.12.1.2": "RC4 of 40 bits",
  "1.2.840.113549.1.12.1.5": "RC2 of 128 bits",
  "1.2.840.113549.1.12.1.6": "RC2 of 40 bits",
};

/** Something encrypted with a password, and the AlgorithmIdentifier that tells how. */
export interface Encrypted {
  readonly algorithm: Buffer;
  readonly ciphertext: Buffer;
}

/** How many iterations one file may still cost, however many parts it has. */
export class WorkBudget {
  #left = MAX_ITERATIONS;

  /**
   * Returns an iteration count, and takes it off.
   *
   * @throws {SyntaxError} If it is below 1 or more than is left
   */
  take(element: DerElement | undefined): number {
    const content = element?.tag === DER_TAG.integer ? element.content : Buffer.alloc(0);
    const isShort = content.length >= 1 && content.length <= 5;
    const count = isShort ? content.readIntBE(0, content.length) : 0;
    if (count < 1 || count > this.#left) {
      throw new SyntaxError(
        `Cannot decrypt: it asks for ${isShort ? count : "countless"} iterations, ` +
          `1 to ${this.#left} are allowed here`,
      );
    }
    this.#left -= count;
    return count;
  }
}

/** A key as password-based schemes derive it, and the cipher it is for. */
interface DerivedCipher {
  readonly name: string;
  readonly key: Buffer;
  readonly iv: Buffer;
}

const deriveWithPbkdf2 = promisify(pbkdf2);
const deriveWithScrypt = promisify<
  string,
  Buffer,
  number,
  { N: number; r: number; p: number; maxmem: number },
  Buffer
>(scrypt);

/**
 * Encrypts with AES-256-CBC under a key of PBKDF2 with HMAC-SHA-256.
 *
 * @see RFC 8018 section 6.2
 */
export async function encryptWithAes(
  plaintext: Buffer,
  password: string,
  iterations: number,
): Promise<Encrypted> {
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(16);
  const key = await deriveWithPbkdf2(password, salt, iterations, 32, "sha256");
  const derivation = algorithmIdentifier(
    OID.pbkdf2,
    sequence(
      octetString(salt),
      integer(iterations),
      algorithmIdentifier(OID.hmacWithSha256, nullValue()),
    ),
  );
  const cipher = algorithmIdentifier(OID.aes256Cbc, octetString(iv));
  return {
    algorithm: algorithmIdentifier(OID.pbes2, sequence(derivation, cipher)),
    ciphertext: encrypt({ name: "aes-256-cbc", key, iv }, plaintext),
  };
}

/**
 * Encrypts with Triple DES under a key of PKCS#12 with SHA-1: what importers without AES read.
 *
 * @see RFC 7292 appendix C
 */
export function encryptWithTripleDes(
  plaintext: Buffer,
  password: string,
  iterations: number,
): Encrypted {
  const salt = randomBytes(8);
  const parameters = sequence(octetString(salt), integer(iterations));
  return {
    algorithm: algorithmIdentifier(OID.pbeWithSha1And3Des, parameters),
    ciphertext: encrypt(tripleDes(password, salt, iterations), plaintext),
  };
}

/**
 * Decrypts with the scheme that an AlgorithmIdentifier names. Returns undefined when the padding is
 * wrong, which a wrong password makes it 255 times of 256.
 *
 * @throws {SyntaxError} If the scheme is unknown, too costly or malformed
 */
export async function decryptWithPassword(
  { algorithm, ciphertext }: Encrypted,
  password: string,
  budget: WorkBudget,
): Promise<Buffer | undefined> {
  const scheme = readElement(algorithm, DER_TAG.sequence);
  const { name, key, iv } = await derivedCipher(scheme, password, budget);
  try {
    const decipher = createDecipheriv(name, key, iv);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    // OpenSSL reports bad padding, a bad length and a bad IV by exceptions of many codes.
    return undefined;
  }
}

async function derivedCipher(
  algorithm: DerElement,
  password: string,
  budget: WorkBudget,
): Promise<DerivedCipher> {
  const [id, parameters] = children(algorithm);
  const oid = id === undefined ? "" : formatObjectIdentifier(id.content);
  const fields = parameters === undefined ? [] : children(parameters);
  if (oid === OID.pbes2) return pbes2(fields, password, budget);
  if (oid === OID.pbeWithSha1And3Des) {
    return tripleDes(password, fields[0]?.content ?? Buffer.alloc(0), budget.take(fields[1]));
  }
  const old = UNREADABLE_SCHEMES[oid];
  throw new SyntaxError(
    old === undefined
      ? `Cannot decrypt: the scheme ${oid} is unknown`
      : `Cannot decrypt: it is encrypted with ${old}, which OpenSSL 3 keeps for old files only; ` +
          "convert it with openssl pkcs12 -legacy",
  );
}

async function pbes2(
  [derivation, scheme]: readonly DerElement[],
  password: string,
  budget: WorkBudget,
): Promise<DerivedCipher> {
  const [kdf, kdfParameters] = derivation === undefined ? [] : children(derivation);
  const [cipherId, iv] = scheme === undefined ? [] : children(scheme);
  const cipher = CIPHERS[cipherId === undefined ? "" : formatObjectIdentifier(cipherId.content)];
  if (
    kdf === undefined ||
    kdfParameters === undefined ||
    cipher === undefined ||
    iv === undefined
  ) {
    throw new SyntaxError("Cannot decrypt: its cipher is unknown or malformed");
  }
  const name = formatObjectIdentifier(kdf.content);
  if (name !== OID.pbkdf2 && name !== OID.scrypt) {
    throw new SyntaxError(`Cannot decrypt: the key derivation ${name} is unknown`);
  }
  const derive = name === OID.pbkdf2 ? pbkdf2Key : scryptKey;
  const key = await derive(children(kdfParameters), password, cipher.keyBytes, budget);
  return { name: cipher.name, key, iv: iv.content };
}

/** @see RFC 8018 appendix A.2 */
async function pbkdf2Key(
  [salt, count, ...optional]: readonly DerElement[],
  password: string,
  bytes: number,
  budget: WorkBudget,
): Promise<Buffer> {
  const prf = optional.find(({ tag }) => tag === DER_TAG.sequence);
  const prfId = prf === undefined ? undefined : children(prf)[0];
  const digest = prfId === undefined ? "sha1" : HMAC_DIGESTS[formatObjectIdentifier(prfId.content)];
  if (salt?.tag !== DER_TAG.octetString || digest === undefined) {
    throw new SyntaxError("Cannot decrypt: its key derivation is unknown or malformed");
  }
  return deriveWithPbkdf2(password, salt.content, budget.take(count), bytes, digest);
}

/** @see RFC 7914 section 7 */
async function scryptKey(
  [salt, ...costs]: readonly DerElement[],
  password: string,
  bytes: number,
  budget: WorkBudget,
): Promise<Buffer> {
  const [N = 0, r = 0, p = 0] = costs.slice(0, 3).map((cost) => budget.take(cost));
  // 64 MiB, and five passes over it: four times what OpenSSL itself would spend.
  if (128 * N * r > 2 ** 26 || p > 5 || salt === undefined) {
    throw new SyntaxError("Cannot decrypt: its scrypt parameters cost too much");
  }
  try {
    return await deriveWithScrypt(password, salt.content, bytes, { N, r, p, maxmem: 2 ** 27 });
  } catch (cause) {
    throw new SyntaxError("Cannot decrypt: its scrypt parameters are malformed", { cause });
  }
}

function tripleDes(password: string, salt: Buffer, iterations: number): DerivedCipher {
  const derive = (purpose: 1 | 2, bytes: number): Buffer =>
    derivePkcs12Key(password, { digest: "sha1", salt, iterations, purpose, bytes });
  return {
    name: "des-ede3-cbc",
    key: derive(KEY_PURPOSE.encryption, 24),
    iv: derive(KEY_PURPOSE.iv, 8),
  };
}

function encrypt({ name, key, iv }: DerivedCipher, plaintext: Buffer): Buffer {
  const cipher = createCipheriv(name, key, iv);
  return Buffer.concat([cipher.update(plaintext), cipher.final()]);
}
