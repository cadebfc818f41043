import { createPrivateKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { quote } from "./quote.ts";

/** A kind of key this package generates. */
export type KeyKind = "p256" | "p384" | "ed25519" | "rsa2048" | "rsa3072" | "rsa4096";

/** How a key of one kind signs certificates. */
export interface SignatureAlgorithm {
  readonly oid: string;
  /** RSA identifiers carry a NULL (RFC 4055 section 5), the others must not (RFC 5758, RFC 8410). */
  readonly hasNullParameters: boolean;
  /** For `crypto.sign`; null where the algorithm hashes by itself. */
  readonly digest: "sha256" | "sha384" | null;
}

const SHA256_WITH_RSA: SignatureAlgorithm = {
  oid: "1.2.840.113549.1.1.11",
  hasNullParameters: true,
  digest: "sha256",
};

const SIGNATURE_ALGORITHMS: Readonly<Record<KeyKind, SignatureAlgorithm>> = {
  p256: { oid: "1.2.840.10045.4.3.2", hasNullParameters: false, digest: "sha256" },
  p384: { oid: "1.2.840.10045.4.3.3", hasNullParameters: false, digest: "sha384" },
  ed25519: { oid: "1.3.101.112", hasNullParameters: false, digest: null },
  rsa2048: SHA256_WITH_RSA,
  rsa3072: SHA256_WITH_RSA,
  rsa4096: SHA256_WITH_RSA,
};

const CURVE_KINDS: Readonly<Record<string, KeyKind>> = { prime256v1: "p256", secp384r1: "p384" };

const generateKeys = promisify(generateKeyPair);

const GENERATORS: Readonly<Record<KeyKind, () => Promise<{ privateKey: KeyObject }>>> = {
  p256: () => generateKeys("ec", { namedCurve: "P-256" }),
  p384: () => generateKeys("ec", { namedCurve: "P-384" }),
  ed25519: () => generateKeys("ed25519"),
  rsa2048: () => generateKeys("rsa", { modulusLength: 2048 }),
  rsa3072: () => generateKeys("rsa", { modulusLength: 3072 }),
  rsa4096: () => generateKeys("rsa", { modulusLength: 4096 }),
};

/** Generates a private key off the main thread (RSA-2048 takes 0.1 s, P-256 below 1 ms). */
export async function generatePrivateKey(kind: KeyKind): Promise<KeyObject> {
  return (await GENERATORS[kind]()).privateKey;
}

/** Returns the kind of a public or private key, or undefined for one this package does not make. */
export function keyKind(key: KeyObject): KeyKind | undefined {
  const name = keyName(key);
  return isKeyKind(name) ? name : undefined;
}

/** Returns the kind of a key, or for other keys a name such as "secp521r1", "rsa1024" or "ed448". */
export function keyName(key: KeyObject): string {
  const details = key.asymmetricKeyDetails;
  const type = key.asymmetricKeyType ?? key.type;
  if (type === "rsa") return `rsa${details?.modulusLength ?? ""}`;
  if (type !== "ec") return type;
  const curve = details?.namedCurve ?? type;
  return CURVE_KINDS[curve] ?? curve;
}

/** Returns how a key of `kind` signs. */
export function signatureAlgorithm(kind: KeyKind): SignatureAlgorithm {
  return SIGNATURE_ALGORITHMS[kind];
}

/** Returns a private key as unencrypted PKCS#8 PEM. */
export function toPrivateKeyPem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

/**
 * Returns the private key in a PEM text: PKCS#8, PKCS#1 or SEC 1; encrypted if `passphrase` is given.
 *
 * @throws {SyntaxError} If there is none, or it needs another passphrase; `cause` holds the reason of OpenSSL
 */
export function readPrivateKey(pem: string, passphrase?: string): KeyObject {
  const key = pem.replace(/^\uFEFF/, "");
  try {
    return createPrivateKey(passphrase === undefined ? key : { key, passphrase });
  } catch (cause) {
    const wanted = passphrase === undefined ? "unencrypted PEM key" : "PEM key for this passphrase";
    throw new SyntaxError(`Cannot read a private key: the text holds no ${wanted}`, { cause });
  }
}

/**
 * Returns a key-kind option, or undefined when absent.
 *
 * @throws {TypeError} If the value names no kind
 */
export function keyKindOption(path: string, value: KeyKind | undefined): KeyKind | undefined {
  if (value === undefined || isKeyKind(value)) return value;
  const kinds = Object.keys(SIGNATURE_ALGORITHMS).join(", ");
  throw new TypeError(`${path} must be one of ${kinds}, got ${quote(value)}`);
}

function isKeyKind(value: unknown): value is KeyKind {
  return typeof value === "string" && Object.hasOwn(SIGNATURE_ALGORITHMS, value);
}
