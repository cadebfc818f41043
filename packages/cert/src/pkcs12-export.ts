import { randomBytes, X509Certificate } from "node:crypto";
import { readCertificate } from "./certificate-reader.ts";
import { ATTRIBUTE, readDistinguishedName } from "./distinguished-name.ts";
import { readPrivateKey } from "./key-pair.ts";
import { booleanOption, checkOptionKeys } from "./options.ts";
import { splitPem } from "./pem.ts";
import { quote } from "./quote.ts";

/** A private key and its certificate, as `issueCertificate` and `devCertificate` return them. */
export interface CertificateWithKey {
  /** Private key, PEM, not encrypted. */
  readonly key: string;
  /** Certificate, PEM; intermediate certificates may follow it. */
  readonly cert: string;
  /** Certificate of the CA, PEM. */
  readonly ca?: string | undefined;
}

/** Options of `toPkcs12`. */
export interface Pkcs12Options {
  /**
   * Password, 1 to 512 characters. Java reads ASCII only.
   *
   * @default a random one of 20 characters (120 bits)
   */
  readonly password?: string | undefined;
  /**
   * The name importers show; Java's alias, in lower case there. 1 to 100 characters.
   *
   * @default the first name of the certificate
   */
  readonly friendlyName?: string | undefined;
  /**
   * Triple DES and SHA-1 instead of AES-256 and SHA-256, for importers that read nothing newer: older
   * releases of macOS, Windows before 10 1709, Java 8 before 301. Whoever gets the file can try
   * passwords fast: choose a long one.
   *
   * @default false
   */
  readonly legacy?: boolean | undefined;
}

const OPTION_KEYS = {
  password: true,
  friendlyName: true,
  legacy: true,
} satisfies Record<keyof Pkcs12Options, true>;

/** A PKCS#12 file and what opens it. */
export interface Pkcs12 {
  readonly pkcs12: Buffer;
  readonly password: string;
}

const MAX_PASSWORD_CHARS = 512;
const MAX_NAME_CHARS = 100;
const PASSWORD_BYTES = 15;

/**
 * Returns a PKCS#12 file (.p12, .pfx) with the key, its certificate and the certificates above it.
 * OpenSSL 3, Node, NSS, Windows and Java from 8u301 read it.
 *
 * @throws {TypeError} If an option is malformed (never shows the password), or the key does not
 *   belong to the certificate
 * @throws {SyntaxError} If key or certificate cannot be read
 * @see RFC 7292
 */
export async function toPkcs12(
  pair: CertificateWithKey,
  options: Pkcs12Options = {},
): Promise<Pkcs12> {
  checkOptionKeys("toPkcs12", options, OPTION_KEYS);
  const password = passwordOption(options.password) ?? randomPassword();
  const privateKey = readPrivateKey(pair.key);
  const certificates = readCertificates(pair);
  const [leaf] = certificates;
  if (leaf === undefined) throw new SyntaxError("Cannot make PKCS#12: there is no certificate");
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new TypeError("Cannot make PKCS#12: the key does not belong to the certificate");
  }
  const { buildPkcs12 } = await import("./pkcs12.ts");
  const pkcs12 = await buildPkcs12({
    privateKey,
    certificates,
    friendlyName: friendlyNameOption(options.friendlyName) ?? firstName(leaf),
    password,
    isLegacy: booleanOption("legacy", options.legacy),
  });
  return { pkcs12, password };
}

function readCertificates({ cert, ca = "" }: CertificateWithKey): X509Certificate[] {
  const certificates = splitPem(`${cert}\n${ca}`)
    .filter(({ label }) => label === "CERTIFICATE")
    .map(({ der }) => new X509Certificate(der));
  return [...new Map(certificates.map((one) => [one.fingerprint256, one])).values()];
}

/** Returns a random password of 20 characters that every shell, prompt and importer takes. */
export function randomPassword(): string {
  return randomBytes(PASSWORD_BYTES).toString("base64url");
}

/**
 * Returns a password option, or undefined when absent.
 *
 * @throws {TypeError} If the value is no text of 1 to 512 characters; does not show it
 */
export function passwordOption(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const isUsable = typeof value === "string" && value !== "" && value.length <= MAX_PASSWORD_CHARS;
  // A final NUL ends the password in RFC 7292; one in between would cut it short for some importers.
  if (isUsable && !value.includes("\0")) return value;
  throw new TypeError(
    `password must be a text of 1 to ${MAX_PASSWORD_CHARS} characters without NUL`,
  );
}

function friendlyNameOption(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const isUsable = typeof value === "string" && value !== "" && value.length <= MAX_NAME_CHARS;
  if (isUsable && !/\p{Cc}/u.test(value)) return value;
  throw new TypeError(
    `friendlyName must be a text of 1 to ${MAX_NAME_CHARS} characters, got ${quote(value)}`,
  );
}

function firstName(certificate: X509Certificate): string {
  const { subjectNames, subject } = readCertificate(certificate);
  const commonName = (): string | undefined =>
    readDistinguishedName(subject).find(({ type }) => type === ATTRIBUTE.commonName)?.value;
  return subjectNames[0]?.value ?? commonName() ?? "certificate";
}
