import { X509Certificate } from "node:crypto";
import type { KeyUsage } from "./certificate-extensions.ts";
import { readCertificate } from "./certificate-reader.ts";
import { keyName } from "./key-pair.ts";
import type { NameConstraints } from "./name-constraints.ts";
import { splitPem } from "./pem.ts";
import type { Validity } from "./renewal.ts";
import { signatureScheme } from "./signature-algorithm.ts";
import type { SubjectName } from "./subject-names.ts";

/** What a certificate says, in plain values. */
export interface CertificateSummary extends Validity {
  /** The distinguished name on one line, such as "O=Example, CN=app.test"; may be empty. */
  readonly subject: string;
  readonly issuer: string;
  /** The values of `subjectNames`. */
  readonly names: readonly string[];
  /** DNS names, addresses, e-mail addresses and URIs of the subjectAltName extension. */
  readonly subjectNames: readonly SubjectName[];
  /** In upper-case hexadecimal. */
  readonly serialNumber: string;
  /**
   * A `KeyKind`, or for keys this package does not make a name such as "secp521r1" or "rsa1024";
   * "unknown" for one that OpenSSL cannot read.
   */
  readonly key: string;
  /** As OpenSSL names it, such as "ecdsa-with-SHA256"; the object identifier of an unknown one. */
  readonly signatureAlgorithm: string;
  /** SHA-256 of the DER, as colon-separated upper-case hexadecimal. */
  readonly fingerprint256: string;
  /** SHA-1 of the DER, which older tools show. */
  readonly fingerprint: string;
  /** Whether it may sign certificates (basicConstraints and keyUsage both say so). */
  readonly isAuthority: boolean;
  /** How many CAs may stand between it and a leaf; undefined without a limit. */
  readonly pathLength: number | undefined;
  /** Undefined when the extension is absent: the key may then be used for everything. */
  readonly keyUsages: readonly KeyUsage[] | undefined;
  /** Purposes such as "serverAuth", or their object identifiers; undefined means every purpose. */
  readonly extendedKeyUsages: readonly string[] | undefined;
  /** Whether subject and issuer are equal and its own key verifies its signature. */
  readonly isSelfSigned: boolean;
  /** In lower-case hexadecimal. */
  readonly subjectKeyIdentifier: string | undefined;
  /** In lower-case hexadecimal; names the key of the issuer. */
  readonly authorityKeyIdentifier: string | undefined;
  readonly nameConstraints: NameConstraints | undefined;
}

/**
 * Returns what the first certificate in a PEM text says. Judges neither trust nor validity.
 *
 * @throws {SyntaxError} If the text holds no certificate that OpenSSL can read
 */
export function inspectCertificate(pem: string): CertificateSummary {
  return summarizeCertificate(readX509(pem));
}

/**
 * Returns what a certificate says.
 *
 * @throws {SyntaxError} If an extension or a date is malformed
 */
export function summarizeCertificate(certificate: X509Certificate): CertificateSummary {
  const details = readCertificate(certificate);
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: details.subjectNames.map(({ value }) => value),
    subjectNames: details.subjectNames,
    ...validity(certificate),
    serialNumber: certificate.serialNumber,
    key: certificateKeyName(certificate),
    signatureAlgorithm: signatureScheme(details.signatureAlgorithm).name,
    fingerprint256: certificate.fingerprint256,
    fingerprint: certificate.fingerprint,
    isAuthority: certificate.ca,
    pathLength: details.basicConstraints?.pathLength,
    keyUsages: details.keyUsages,
    extendedKeyUsages: details.extendedKeyUsages,
    isSelfSigned: isIssuedBy(certificate, certificate),
    subjectKeyIdentifier: details.subjectKeyIdentifier?.toString("hex"),
    authorityKeyIdentifier: details.authorityKeyIdentifier?.toString("hex"),
    nameConstraints: details.nameConstraints,
  };
}

/**
 * Returns the first certificate of a PEM text as parsed by OpenSSL.
 *
 * @throws {SyntaxError} If there is none; `cause` holds the reason of OpenSSL
 */
export function readX509(pem: string): X509Certificate {
  const block = splitPem(pem).find(({ label }) => label === "CERTIFICATE");
  if (block === undefined) {
    throw new SyntaxError("Cannot read a certificate: the text has no CERTIFICATE block");
  }
  return readX509Der(block.der);
}

/**
 * Returns the certificate that DER bytes consist of.
 *
 * @throws {SyntaxError} If it is malformed or followed by other bytes
 */
export function readX509Der(der: Buffer): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch (cause) {
    throw new SyntaxError("Cannot read a certificate: its DER is malformed", { cause });
  }
  if (certificate.raw.length === der.length) return certificate;
  throw new SyntaxError("Cannot read a certificate: other bytes follow it");
}

/**
 * Returns the validity of a certificate as dates (X509Certificate has them only since Node 22).
 *
 * @throws {SyntaxError} If one of them is no date
 */
export function validity(certificate: X509Certificate): Validity {
  const notBefore = new Date(certificate.validFrom);
  const notAfter = new Date(certificate.validTo);
  if (Number.isNaN(notBefore.getTime()) || Number.isNaN(notAfter.getTime())) {
    throw new SyntaxError("Cannot read a certificate: one of its dates is malformed");
  }
  return { notBefore, notAfter };
}

/** Whether `issuer` may have signed `certificate`, and its key verifies the signature. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // OpenSSL throws on keys and algorithms that it does not know.
    return false;
  }
}

function certificateKeyName(certificate: X509Certificate): string {
  try {
    return keyName(certificate.publicKey);
  } catch {
    // As above; the rest of the certificate is still worth showing.
    return "unknown";
  }
}

/** Node 20 has no subject at all where it is empty, against the type. */
function oneLine(name: string | undefined): string {
  return (name ?? "").split("\n").join(", ");
}
