import { createHmac, timingSafeEqual } from "node:crypto";
import { toDefiniteLengths } from "./ber.ts";
import { children, DER_TAG, readElement, type DerElement } from "./der.ts";
import { CertError } from "./errors.ts";
import { formatObjectIdentifier } from "./object-identifier.ts";
import { decryptWithPassword, WorkBudget } from "./password-encryption.ts";
import { derivePkcs12Key, KEY_PURPOSE } from "./pkcs12-key-derivation.ts";
import { PKCS12_OID } from "./pkcs12.ts";

/** What a PKCS#12 file holds, in its order. */
export interface Pkcs12Reading {
  /** X.509, DER. */
  readonly certificates: readonly Buffer[];
  /** PKCS#8, DER, decrypted. */
  readonly privateKeys: readonly Buffer[];
}

/** What it takes to decrypt the parts of one file. */
interface Unlock {
  readonly password: string | undefined;
  readonly budget: WorkBudget;
}

interface Mac {
  readonly digest: { readonly name: string; readonly bytes: number };
  readonly expected: Buffer;
  readonly salt: Buffer;
  readonly iterations: number;
}

/** By dotted object identifier. */
const DIGESTS: Readonly<Record<string, { readonly name: string; readonly bytes: number }>> = {
  "1.3.14.3.2.26": { name: "sha1", bytes: 20 },
  "2.16.840.1.101.3.4.2.4": { name: "sha224", bytes: 28 },
  "2.16.840.1.101.3.4.2.1": { name: "sha256", bytes: 32 },
  "2.16.840.1.101.3.4.2.2": { name: "sha384", bytes: 48 },
  "2.16.840.1.101.3.4.2.3": { name: "sha512", bytes: 64 },
};

const PFX_VERSION = 3;
const CONSTRUCTED_CONTEXT_0 = 0xa0;
const PRIMITIVE_CONTEXT_0 = 0x80;
/** Bags within bags; nobody writes them, and each level could double the work. */
const MAX_NESTED_BAGS = 4;

/** Whether DER or BER bytes begin as a PKCS#12 file does: a SEQUENCE with the version 3. */
export function looksLikePkcs12(bytes: Buffer): boolean {
  const start = /^30(?:80|[0-7].|8[1-4](?:..){1,4}?)020103/.exec(
    bytes.subarray(0, 12).toString("hex"),
  );
  return start !== null;
}

/**
 * Opens a PKCS#12 file: checks its MAC and decrypts what it holds.
 * Takes up to some seconds where the file asks for millions of iterations; more is refused.
 *
 * @throws {CertError} ERR_CERT_PASSWORD when the password is wrong, or none is given and one needed
 * @throws {SyntaxError} If the file is malformed, or uses ciphers that OpenSSL 3 does not offer
 * @see RFC 7292 section 4
 */
export async function readPkcs12(
  bytes: Buffer,
  password: string | undefined,
): Promise<Pkcs12Reading> {
  const [version, content, macData] = children(definiteSequence(bytes));
  if (version?.content.at(-1) !== PFX_VERSION || content === undefined) {
    throw new SyntaxError("Cannot read PKCS#12: it is no PFX structure of version 3");
  }
  const authenticated = dataContent(content);
  const unlock: Unlock = { password, budget: new WorkBudget() };
  if (macData !== undefined) {
    const mac = readMac(macData, unlock.budget);
    if (!hasMac(mac, authenticated, password ?? "")) throw passwordError(password);
  }
  const certificates: Buffer[] = [];
  const privateKeys: Buffer[] = [];
  for (const info of children(definiteSequence(authenticated))) {
    const contents = await safeContents(info, unlock);
    for (const bag of flatten(definiteSequence(contents), 0)) {
      const { type, value } = readBag(bag);
      if (type === PKCS12_OID.certBag) certificates.push(...certificate(value));
      if (type === PKCS12_OID.keyBag) privateKeys.push(value.raw);
      if (type === PKCS12_OID.shroudedKeyBag) privateKeys.push(await decrypt(value, unlock));
    }
  }
  return { certificates, privateKeys };
}

/** Returns the SafeContents of one ContentInfo: plain, or encrypted with the password. */
async function safeContents(info: DerElement, unlock: Unlock): Promise<Buffer> {
  if (contentType(info) !== PKCS12_OID.encryptedData) return dataContent(info);
  const [, wrapped] = children(info);
  const [, encrypted] = wrapped === undefined ? [] : children(onlyChild(wrapped));
  const [, algorithm, ciphertext] = encrypted === undefined ? [] : children(encrypted);
  if (algorithm === undefined || ciphertext === undefined) {
    throw new SyntaxError("Cannot read PKCS#12: its encrypted content is malformed");
  }
  // An implicit OCTET STRING, in one piece or, as NSS and Java write it, in several.
  const isWhole = ciphertext.tag === PRIMITIVE_CONTEXT_0;
  const bytes = isWhole
    ? ciphertext.content
    : Buffer.concat(children(ciphertext).map(({ content }) => content));
  return decrypted(algorithm, bytes, unlock);
}

/** Decrypts an EncryptedPrivateKeyInfo (RFC 5958 section 3). */
async function decrypt(value: DerElement, unlock: Unlock): Promise<Buffer> {
  const [algorithm, ciphertext] = children(value);
  if (algorithm === undefined || ciphertext === undefined) {
    throw new SyntaxError("Cannot read PKCS#12: an encrypted key is malformed");
  }
  return decrypted(algorithm, ciphertext.content, unlock);
}

async function decrypted(
  algorithm: DerElement,
  ciphertext: Buffer,
  { password, budget }: Unlock,
): Promise<Buffer> {
  const encrypted = { algorithm: algorithm.raw, ciphertext };
  const plaintext = await decryptWithPassword(encrypted, password ?? "", budget);
  if (plaintext === undefined) throw passwordError(password);
  return plaintext;
}

function readMac(macData: DerElement, budget: WorkBudget): Mac {
  const [digestInfo, salt, iterations] = children(macData);
  const [algorithm, expected] = digestInfo === undefined ? [] : children(digestInfo);
  const id = algorithm === undefined ? undefined : children(algorithm)[0];
  const digest = id === undefined ? undefined : DIGESTS[formatObjectIdentifier(id.content)];
  if (digest === undefined || expected === undefined || salt === undefined) {
    throw new SyntaxError("Cannot read PKCS#12: its MAC is malformed or of an unknown kind");
  }
  return {
    digest,
    expected: expected.content,
    salt: salt.content,
    iterations: iterations === undefined ? 1 : budget.take(iterations),
  };
}

function hasMac(
  { digest, expected, salt, iterations }: Mac,
  content: Buffer,
  password: string,
): boolean {
  const key = derivePkcs12Key(password, {
    digest: digest.name,
    salt,
    iterations,
    purpose: KEY_PURPOSE.mac,
    bytes: digest.bytes,
  });
  const mac = createHmac(digest.name, key).update(content).digest();
  return mac.length === expected.length && timingSafeEqual(mac, expected);
}

function flatten(contents: DerElement, depth: number): DerElement[] {
  return children(contents).flatMap((bag) => {
    const { type, value } = readBag(bag);
    if (type !== PKCS12_OID.safeContentsBag) return [bag];
    if (depth >= MAX_NESTED_BAGS) {
      throw new SyntaxError("Cannot read PKCS#12: its bags are nested too deep");
    }
    return flatten(value, depth + 1);
  });
}

function readBag(bag: DerElement): { readonly type: string; readonly value: DerElement } {
  const [id, wrapped] = children(bag);
  if (id === undefined || wrapped === undefined) {
    throw new SyntaxError("Cannot read PKCS#12: a bag is malformed");
  }
  return { type: formatObjectIdentifier(id.content), value: onlyChild(wrapped) };
}

function certificate(bag: DerElement): Buffer[] {
  const [id, wrapped] = children(bag);
  if (id === undefined || wrapped === undefined) return [];
  const isX509 = formatObjectIdentifier(id.content) === PKCS12_OID.x509Certificate;
  return isX509 ? [onlyChild(wrapped).content] : [];
}

/** Each layer is BER of its own, and the MAC is over its very bytes. */
function definiteSequence(ber: Buffer): DerElement {
  return readElement(toDefiniteLengths(ber), DER_TAG.sequence);
}

function contentType(info: DerElement): string {
  return formatObjectIdentifier(children(info)[0]?.content ?? Buffer.alloc(0));
}

function dataContent(info: DerElement): Buffer {
  const wrapped = children(info)[1];
  if (contentType(info) !== PKCS12_OID.data || wrapped === undefined) {
    throw new SyntaxError("Cannot read PKCS#12: it is protected by a public key, not a password");
  }
  return readElement(wrapped.content, DER_TAG.octetString).content;
}

function onlyChild(wrapped: DerElement): DerElement {
  const [child] = children(wrapped);
  if (child === undefined || wrapped.tag !== CONSTRUCTED_CONTEXT_0) {
    throw new SyntaxError("Cannot read PKCS#12: a part of it is empty");
  }
  return child;
}

function passwordError(password: string | undefined): CertError {
  const reason = password === undefined ? "it needs a password" : "the password is wrong";
  return new CertError("ERR_CERT_PASSWORD", `Cannot open the PKCS#12 file: ${reason}`);
}
