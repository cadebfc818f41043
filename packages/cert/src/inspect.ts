import { X509Certificate } from "node:crypto";
import { readCertificate } from "./certificate-reader.ts";
import { keyName } from "./key-pair.ts";
import type { NameConstraints } from "./name-constraints.ts";
import { splitPem } from "./pem.ts";
import type { Validity } from "./renewal.ts";
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
  /** A `KeyKind`, or for keys this package does not make a name such as "secp521r1" or "rsa1024". */
  readonly key: string;
  /** SHA-256 of the DER, as colon-separated upper-case hexadecimal. */
  readonly fingerprint256: string;
  /** Whether it may sign certificates (basicConstraints and keyUsage both say so). */
  readonly isAuthority: boolean;
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
  const certificate = readX509(pem);
  const details = readCertificate(certificate);
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: details.subjectNames.map(({ value }) => value),
    subjectNames: details.subjectNames,
    ...validity(certificate),
    serialNumber: certificate.serialNumber,
    key: keyName(certificate.publicKey),
    fingerprint256: certificate.fingerprint256,
    isAuthority: certificate.ca,
    isSelfSigned: certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey),
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
  try {
    return new X509Certificate(block.der);
  } catch (cause) {
    throw new SyntaxError("Cannot read a certificate: its DER is malformed", { cause });
  }
}

/** Returns the validity of a certificate as dates (X509Certificate has them only since Node 22). */
export function validity(certificate: X509Certificate): Validity {
  return { notBefore: new Date(certificate.validFrom), notAfter: new Date(certificate.validTo) };
}

/** Node 20 has no subject at all where it is empty, against the type. */
function oneLine(name: string | undefined): string {
  return (name ?? "").split("\n").join(", ");
}
