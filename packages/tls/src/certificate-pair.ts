import type { KeyObject } from "node:crypto";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { TlsError } from "./errors.ts";
import { certificateServerNames } from "./sni.ts";

/** A private key and the certificates that vouch for it, both PEM text. */
export interface CertificatePair {
  /** Private key, unencrypted PEM (PKCS#8, SEC 1 or PKCS#1). */
  readonly key: string;
  /** Leaf first, then each issuer in turn; the root may be left out. */
  readonly cert: string;
}

/** What a validated pair says about itself. */
export interface CertificatePairDetails {
  /** DNS names and wildcards of the leaf, lower-case. */
  readonly serverNames: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SHA-256 of the leaf, upper-case hex with colons. */
  readonly fingerprint256: string;
}

const CERTIFICATE_LABEL = "-----BEGIN CERTIFICATE-----";
const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const SERVER_AUTH_OIDS = ["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"];
const MIN_RSA_BITS = 2048;
const CURVES = ["prime256v1", "secp384r1", "secp521r1"];

/**
 * Returns the details of a pair that a TLS server can present now; refuses every other pair.
 * Trust is not judged: a self-signed certificate passes.
 *
 * @throws {TlsError} ERR_TLS_CERTIFICATE_INVALID when `cert` is empty, half-written, holds a key or does not parse.
 * @throws {TlsError} ERR_TLS_KEY_INVALID when `key` is empty, half-written, encrypted or holds a certificate.
 * @throws {TlsError} ERR_TLS_KEY_MISMATCH when the key belongs to none of the certificates.
 * @throws {TlsError} ERR_TLS_KEY_UNSUITABLE when a key in the chain is RSA under 2048 bits or of a type browsers refuse.
 * @throws {TlsError} ERR_TLS_CHAIN_ORDER when the leaf is not first or a certificate did not issue the one before it.
 * @throws {TlsError} ERR_TLS_CERTIFICATE_PURPOSE when the leaf is not meant for servers (extended key usage).
 * @throws {TlsError} ERR_TLS_CERTIFICATE_EXPIRED or ERR_TLS_CERTIFICATE_NOT_YET_VALID for any certificate in the chain.
 * @see RFC 5280 section 6.1
 * @see RFC 8446 section 4.4.2
 */
export function validateCertificatePair(
  pair: CertificatePair,
  options: { readonly now?: (() => number) | undefined } = {},
): CertificatePairDetails {
  const chain = parseChain(pair.cert);
  const [leaf] = chain;
  const key = parsePrivateKey(pair.key);
  requireKeyOfLeaf(chain, key);
  for (const [index, certificate] of chain.entries()) {
    requireSuitableKey(certificate.publicKey, place(index, chain));
  }
  requireServerPurpose(leaf);
  requireChainOrder(chain);
  requireValidAt(chain, (options.now ?? Date.now)());
  requireAcceptedByOpenSsl(pair);
  return {
    serverNames: certificateServerNames(leaf),
    notBefore: new Date(leaf.validFrom),
    notAfter: new Date(leaf.validTo),
    fingerprint256: leaf.fingerprint256,
  };
}

function refuse(code: TlsError["code"], reason: string, cause?: unknown): never {
  const options = cause === undefined ? undefined : { cause };
  throw new TlsError(code, `Cannot use certificate pair: ${reason}`, options);
}

function parseChain(text: string): [X509Certificate, ...X509Certificate[]] {
  if (typeof text !== "string") {
    throw new TypeError(`pair.cert must be PEM text, got ${typeof text}`);
  }
  const begun = text.split(CERTIFICATE_LABEL).length - 1;
  const blocks = text.match(CERTIFICATE_BLOCK) ?? [];
  if (begun === 0) {
    if (text.trim() === "") refuse("ERR_TLS_CERTIFICATE_INVALID", "cert is empty");
    if (text.includes("PRIVATE KEY-----")) {
      refuse("ERR_TLS_CERTIFICATE_INVALID", "cert holds a private key, key and cert look swapped");
    }
    refuse("ERR_TLS_CERTIFICATE_INVALID", "cert holds no PEM certificate");
  }
  if (blocks.length !== begun) {
    refuse("ERR_TLS_CERTIFICATE_INVALID", "cert ends inside a certificate, it looks half-written");
  }
  const [leaf, ...issuers] = blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      return refuse("ERR_TLS_CERTIFICATE_INVALID", `${place(index, blocks)} does not parse`, cause);
    }
  });
  return leaf === undefined
    ? refuse("ERR_TLS_CERTIFICATE_INVALID", "cert holds no complete certificate")
    : [leaf, ...issuers];
}

function parsePrivateKey(text: string): KeyObject {
  if (typeof text !== "string") {
    throw new TypeError(`pair.key must be PEM text, got ${typeof text}`);
  }
  if (text.trim() === "") refuse("ERR_TLS_KEY_INVALID", "key is empty");
  if (!text.includes("PRIVATE KEY-----")) {
    refuse(
      "ERR_TLS_KEY_INVALID",
      text.includes(CERTIFICATE_LABEL)
        ? "key holds a certificate, key and cert look swapped"
        : "key holds no PEM private key",
    );
  }
  if (text.includes("ENCRYPTED")) {
    refuse("ERR_TLS_KEY_INVALID", "key is encrypted, store it without a passphrase");
  }
  try {
    return createPrivateKey(text);
  } catch (cause) {
    return refuse("ERR_TLS_KEY_INVALID", "key does not parse, it may be half-written", cause);
  }
}

function requireKeyOfLeaf(chain: readonly [X509Certificate, ...X509Certificate[]], key: KeyObject) {
  const owner = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (owner === 0) return;
  if (owner > 0) {
    refuse(
      "ERR_TLS_CHAIN_ORDER",
      `the key belongs to ${place(owner, chain)}, the leaf must come first`,
    );
  }
  refuse("ERR_TLS_KEY_MISMATCH", `the key does not belong to ${describe(chain[0])}`);
}

function requireSuitableKey(key: KeyObject, where: string): void {
  const type = key.asymmetricKeyType ?? "unknown";
  const { modulusLength = 0, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  if (type === "ed25519" || (type === "ec" && CURVES.includes(namedCurve))) return;
  const isRsa = type === "rsa" || type === "rsa-pss";
  if (isRsa && modulusLength >= MIN_RSA_BITS) return;
  const actual = isRsa ? `RSA with ${modulusLength} bits` : `${type} ${namedCurve}`.trimEnd();
  refuse(
    "ERR_TLS_KEY_UNSUITABLE",
    `the key of ${where} is ${actual}, wanted P-256, P-384, P-521, Ed25519 or RSA from ${MIN_RSA_BITS} bits`,
  );
}

function requireServerPurpose(leaf: X509Certificate): void {
  // Undefined at run time when the certificate has no extended key usage, whatever the types say.
  const purposes = leaf.keyUsage as readonly string[] | undefined;
  if (purposes === undefined || purposes.some((oid) => SERVER_AUTH_OIDS.includes(oid))) return;
  refuse(
    "ERR_TLS_CERTIFICATE_PURPOSE",
    `${describe(leaf)} is not for servers, its extended key usage is ${purposes.join(", ")}`,
  );
}

function requireChainOrder(chain: readonly X509Certificate[]): void {
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1];
    if (issuer === undefined) return;
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
      refuse(
        "ERR_TLS_CHAIN_ORDER",
        `${place(index + 1, chain)} did not issue the one before it, the order is leaf, then each issuer`,
      );
    }
  }
}

function requireValidAt(chain: readonly X509Certificate[], now: number): void {
  for (const [index, certificate] of chain.entries()) {
    const where = `${place(index, chain)}, ${describe(certificate)},`;
    if (now > Date.parse(certificate.validTo)) {
      refuse("ERR_TLS_CERTIFICATE_EXPIRED", `${where} expired on ${certificate.validTo}`);
    }
    if (now < Date.parse(certificate.validFrom)) {
      refuse(
        "ERR_TLS_CERTIFICATE_NOT_YET_VALID",
        `${where} is valid from ${certificate.validFrom}, check the clock`,
      );
    }
  }
}

function requireAcceptedByOpenSsl({ key, cert }: CertificatePair): void {
  try {
    createSecureContext({ key, cert, ca: [] });
  } catch (cause) {
    refuse("ERR_TLS_CERTIFICATE_INVALID", "OpenSSL refuses it", cause);
  }
}

function place(index: number, chain: readonly unknown[]): string {
  return `certificate ${index + 1} of ${chain.length}`;
}

function describe(certificate: X509Certificate): string {
  return JSON.stringify(certificate.subjectAltName ?? certificate.subject);
}
