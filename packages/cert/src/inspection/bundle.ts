import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  type X509Certificate,
} from "node:crypto";
import {
  readCertificateRequest,
  REQUEST_LABELS,
  type CertificateRequest,
} from "../certificate-request.ts";
import { children, DER_TAG, readElement } from "../der.ts";
import { CertError } from "../errors.ts";
import { readX509Der } from "../inspect.ts";
import { decryptWithPassword, WorkBudget } from "../password-encryption.ts";
import { splitPem, toPem, type PemBlock } from "../pem.ts";
import { looksLikePkcs12, readPkcs12 } from "../pkcs12-reader.ts";

/** The list of the system's roots has 0.2 MB, the longest honest chain some 20 KB. */
const MAX_INPUT_BYTES = 4_194_304;

/** How the input was written down. */
export type BundleFormat = "pem" | "der" | "pkcs12" | "tls";

/** One thing in the input. */
export type BundleEntry =
  | { readonly kind: "certificate"; readonly certificate: X509Certificate }
  | { readonly kind: "request"; readonly request: CertificateRequest }
  | { readonly kind: "private-key"; readonly key: KeyObject }
  | { readonly kind: "public-key"; readonly key: KeyObject }
  /** A private key that is encrypted, when no password was given. */
  | { readonly kind: "locked-key" }
  /** A PEM block of another kind, such as "DH PARAMETERS". */
  | { readonly kind: "other"; readonly label: string }
  | { readonly kind: "unreadable"; readonly label: string; readonly reason: string };

/** What a file or a connection held, in its order. */
export interface Bundle {
  readonly format: BundleFormat;
  readonly entries: readonly BundleEntry[];
}

const SEQUENCE_START = 0x30;
const UTF16_MARK = 0xfffe;
const CERTIFICATE_LABELS: readonly string[] = ["CERTIFICATE", "X509 CERTIFICATE"];
const PRIVATE_KEY_TYPES: Readonly<Record<string, "pkcs8" | "pkcs1" | "sec1">> = {
  "PRIVATE KEY": "pkcs8",
  "RSA PRIVATE KEY": "pkcs1",
  "EC PRIVATE KEY": "sec1",
};
const PUBLIC_KEY_TYPES: Readonly<Record<string, "spki" | "pkcs1">> = {
  "PUBLIC KEY": "spki",
  "RSA PUBLIC KEY": "pkcs1",
};

/**
 * Reads certificates, requests and keys from PEM, DER or PKCS#12, whichever the bytes are.
 * A PEM block that cannot be read becomes an entry, so that it hides none of the others.
 *
 * @throws {RangeError} If the input has more than 4 MiB
 * @throws {SyntaxError} If it is none of the three, or damaged
 * @throws {CertError} ERR_CERT_PASSWORD when the password is wrong, or PKCS#12 needs one
 */
export async function readBundle(
  input: string | Uint8Array,
  password: string | undefined,
): Promise<Bundle> {
  const bytes = Buffer.from(input);
  if (bytes.length > MAX_INPUT_BYTES) {
    throw new RangeError(`input must have at most ${MAX_INPUT_BYTES} bytes, got ${bytes.length}`);
  }
  if (looksLikePkcs12(bytes)) return readPkcs12Bundle(bytes, password);
  if (bytes[0] === SEQUENCE_START) return { format: "der", entries: [readDer(bytes)] };
  const blocks = splitPem(decodeText(bytes));
  if (blocks.length === 0) {
    throw new SyntaxError("Cannot read the input: it is neither PEM nor DER nor PKCS#12");
  }
  const entries: BundleEntry[] = [];
  for (const block of blocks) entries.push(await readBlock(block, password));
  return { format: "pem", entries };
}

async function readPkcs12Bundle(bytes: Buffer, password: string | undefined): Promise<Bundle> {
  const { certificates, privateKeys } = await readPkcs12(bytes, password);
  const entries = [
    ...certificates.map((der) => readOr("CERTIFICATE", () => certificateEntry(der))),
    ...privateKeys.map((der) => readOr("PRIVATE KEY", () => privateKeyEntry(der, "pkcs8"))),
  ];
  return { format: "pkcs12", entries };
}

/** PowerShell 5 writes its output in UTF-16 with a mark. */
function decodeText(bytes: Buffer): string {
  const isUtf16 = bytes.length >= 2 && bytes.readUInt16BE(0) === UTF16_MARK;
  return bytes.toString(isUtf16 ? "utf16le" : "utf8");
}

/** Tries what DER can be, from the likeliest on; the forms differ early and exclude each other. */
function readDer(der: Buffer): BundleEntry {
  const readers = [
    () => certificateEntry(der),
    () => requestEntry(der),
    ...Object.values(PRIVATE_KEY_TYPES).map((type) => () => privateKeyEntry(der, type)),
    ...Object.values(PUBLIC_KEY_TYPES).map((type) => () => publicKeyEntry(der, type)),
  ];
  for (const read of readers) {
    const entry = readOr("", read);
    if (entry.kind !== "unreadable") return entry;
  }
  throw new SyntaxError(
    "Cannot read the input: it is DER, but no certificate, request, key or PKCS#12 file",
  );
}

async function readBlock(block: PemBlock, password: string | undefined): Promise<BundleEntry> {
  const { label, der, headers } = block;
  if (/^Proc-Type: *4, *ENCRYPTED/m.test(headers)) return readOldEncryptedKey(block, password);
  if (CERTIFICATE_LABELS.includes(label)) return readOr(label, () => certificateEntry(der));
  if (REQUEST_LABELS.includes(label)) return readOr(label, () => requestEntry(der));
  if (label === "ENCRYPTED PRIVATE KEY") return readEncryptedKey(der, password);
  const privateType = PRIVATE_KEY_TYPES[label];
  if (privateType !== undefined) return readOr(label, () => privateKeyEntry(der, privateType));
  const publicType = PUBLIC_KEY_TYPES[label];
  if (publicType !== undefined) return readOr(label, () => publicKeyEntry(der, publicType));
  return { kind: "other", label };
}

/** Decrypts an EncryptedPrivateKeyInfo here rather than in OpenSSL, which sets no limit to the work. */
async function readEncryptedKey(der: Buffer, password: string | undefined): Promise<BundleEntry> {
  if (password === undefined) return { kind: "locked-key" };
  const label = "ENCRYPTED PRIVATE KEY";
  try {
    const [algorithm, ciphertext] = children(readElement(der, DER_TAG.sequence));
    if (algorithm === undefined || ciphertext === undefined) {
      throw new SyntaxError("Cannot read a private key: its encryption is malformed");
    }
    const encrypted = { algorithm: algorithm.raw, ciphertext: ciphertext.content };
    const plain = await decryptWithPassword(encrypted, password, new WorkBudget());
    const entry = plain && readOr(label, () => privateKeyEntry(plain, "pkcs8"));
    if (entry?.kind === "private-key") return entry;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { kind: "unreadable", label, reason: error.message };
  }
  throw wrongPassword();
}

/** The old form of OpenSSL costs one round of MD5: OpenSSL itself may open it. */
function readOldEncryptedKey(
  { label, headers, der }: PemBlock,
  passphrase: string | undefined,
): BundleEntry {
  if (passphrase === undefined) return { kind: "locked-key" };
  const begin = `-----BEGIN ${label}-----\n`;
  const key = toPem(label, der).replace(begin, `${begin}${headers}\n\n`);
  try {
    return { kind: "private-key", key: createPrivateKey({ key, passphrase }) };
  } catch {
    // A wrong password and a damaged key look the same.
    throw wrongPassword();
  }
}

function wrongPassword(): CertError {
  return new CertError("ERR_CERT_PASSWORD", "Cannot open the private key: the password is wrong");
}

function certificateEntry(der: Buffer): BundleEntry {
  return { kind: "certificate", certificate: readX509Der(der) };
}

function requestEntry(der: Buffer): BundleEntry {
  return { kind: "request", request: readCertificateRequest(der) };
}

function privateKeyEntry(key: Buffer, type: "pkcs8" | "pkcs1" | "sec1"): BundleEntry {
  return { kind: "private-key", key: createPrivateKey({ key, type, format: "der" }) };
}

function publicKeyEntry(key: Buffer, type: "spki" | "pkcs1"): BundleEntry {
  return { kind: "public-key", key: createPublicKey({ key, type, format: "der" }) };
}

/** Whatever fails here fails on the bytes: our readers and OpenSSL are given nothing else. */
function readOr(label: string, read: () => BundleEntry): BundleEntry {
  try {
    return read();
  } catch (error) {
    const isOurs = error instanceof SyntaxError;
    return { kind: "unreadable", label, reason: isOurs ? error.message : "its DER is malformed" };
  }
}
