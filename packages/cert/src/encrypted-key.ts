import {
  createCipheriv,
  randomBytes,
  scrypt,
  type KeyObject,
  type ScryptOptions,
} from "node:crypto";
import { promisify } from "node:util";
import { DER_TAG, writeElement } from "./der.ts";
import { toPem } from "./pem.ts";

const ENCRYPTED_LABEL = "ENCRYPTED PRIVATE KEY";

/**
 * 16 MiB and 0.13 s a guess. OpenSSL refuses to spend more than 32 MiB when it reads a key, so the
 * cost beyond that lies in `p` (OWASP Password Storage Cheat Sheet, its row for 16 MiB).
 */
const COST = { N: 2 ** 14, r: 8, p: 5 } as const;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const IV_BYTES = 16;

/** Contents of object identifiers, in hexadecimal. */
const OID = {
  pbes2: "2a864886f70d01050d",
  scrypt: "2b06010401da47040b",
  aes256Cbc: "60864801650304012a",
} as const;

const deriveKey = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/**
 * Returns a private key as encrypted PKCS#8 PEM (PBES2 with scrypt and AES-256-CBC), which Node and
 * OpenSSL since 1.1 read. Node itself would write PBKDF2 with 2048 rounds: 0.5 ms a guess.
 *
 * @see RFC 8018 section 6.2, RFC 7914 section 7
 */
export async function toEncryptedPem(key: KeyObject, passphrase: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(IV_BYTES);
  const derived = await deriveKey(passphrase, salt, KEY_BYTES, COST);
  const cipher = createCipheriv("aes-256-cbc", derived, iv);
  const plain = key.export({ type: "pkcs8", format: "der" });
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  const kdf = algorithm(
    OID.scrypt,
    sequence(octets(salt), integer(COST.N), integer(COST.r), integer(COST.p)),
  );
  const scheme = algorithm(OID.pbes2, sequence(kdf, algorithm(OID.aes256Cbc, octets(iv))));
  return toPem(ENCRYPTED_LABEL, sequence(scheme, octets(encrypted)));
}

/** Whether a PEM text holds an encrypted private key, in PKCS#8 or the older form of OpenSSL. */
export function isEncryptedPem(text: string): boolean {
  return (
    text.includes(`-----BEGIN ${ENCRYPTED_LABEL}-----`) || /^Proc-Type: 4,ENCRYPTED/m.test(text)
  );
}

function algorithm(oid: string, parameters: Buffer): Buffer {
  return sequence(writeElement(DER_TAG.objectIdentifier, Buffer.from(oid, "hex")), parameters);
}

function sequence(...elements: readonly Buffer[]): Buffer {
  return writeElement(DER_TAG.sequence, ...elements);
}

function octets(value: Buffer): Buffer {
  return writeElement(DER_TAG.octetString, value);
}

/** Two bytes hold every cost parameter, and none of them sets the sign bit. */
function integer(value: number): Buffer {
  const bytes = value < 0x80 ? Buffer.of(value) : Buffer.of(value >> 8, value & 0xff);
  return writeElement(DER_TAG.integer, bytes);
}
