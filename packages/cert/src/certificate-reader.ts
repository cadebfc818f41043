import type { X509Certificate } from "node:crypto";
import {
  EXTENSION,
  hasForeignSubtrees,
  readAlternativeNames,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readExtendedKeyUsages,
  readExtensions,
  readKeyUsages,
  readNameConstraints,
  readSubjectKeyIdentifier,
  type BasicConstraints,
  type Extension,
  type KeyUsage,
} from "./certificate-extensions.ts";
import { children, DER_TAG, readElement, type DerElement } from "./der.ts";
import type { NameConstraints } from "./name-constraints.ts";
import { formatObjectIdentifier } from "./object-identifier.ts";
import type { SubjectName } from "./subject-names.ts";

/** What X509Certificate holds but does not show, or shows only as text. */
export interface CertificateDetails {
  /** 1 to 3. */
  readonly version: number;
  /** The subject in DER, byte for byte. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  /** Dotted object identifier. */
  readonly signatureAlgorithm: string;
  readonly subjectNames: readonly SubjectName[];
  /** Whether subjectAltName also holds names that `subjectNames` leaves out. */
  readonly hasForeignNames: boolean;
  readonly basicConstraints: BasicConstraints | undefined;
  readonly keyUsages: readonly KeyUsage[] | undefined;
  /** By name, or by dotted object identifier. */
  readonly extendedKeyUsages: readonly string[] | undefined;
  readonly subjectKeyIdentifier: Buffer | undefined;
  readonly authorityKeyIdentifier: Buffer | undefined;
  readonly nameConstraints: NameConstraints | undefined;
  /** Whether name constraints also limit names that `nameConstraints` does not show. */
  readonly hasForeignConstraints: boolean;
  /** All extensions by dotted object identifier. */
  readonly extensions: ReadonlyMap<string, Extension>;
}

const EXPLICIT_VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;

/**
 * Reads a certificate that OpenSSL has parsed already.
 * Names of other types (directory names, otherName) are left out.
 *
 * @throws {SyntaxError} If an extension is malformed or appears twice
 * @see RFC 5280 section 4.1
 */
export function readCertificate(certificate: X509Certificate): CertificateDetails {
  const [tbsCertificate, algorithm] = children(readElement(certificate.raw, DER_TAG.sequence));
  const fields = tbsCertificate === undefined ? [] : children(tbsCertificate);
  const first = fields[0]?.tag === EXPLICIT_VERSION_TAG ? 1 : 0;
  const [issuer, , subject] = fields.slice(first + 2);
  if (issuer === undefined || subject === undefined || algorithm === undefined) {
    throw new SyntaxError("Cannot read certificate: it has no subject");
  }
  const extensions = extensionsOf(fields.find(({ tag }) => tag === EXTENSIONS_TAG));
  const read = <T>(id: string, reader: (value: Buffer) => T): T | undefined => {
    const extension = extensions.get(id);
    return extension === undefined ? undefined : reader(extension.value);
  };
  const alternatives = read(EXTENSION.subjectAltName, readAlternativeNames);
  return {
    version: first === 0 ? 1 : (fields[0]?.content.at(-1) ?? 0) + 1,
    subject: subject.raw,
    issuer: issuer.raw,
    signatureAlgorithm: formatObjectIdentifier(children(algorithm)[0]?.content ?? Buffer.alloc(0)),
    subjectNames: alternatives?.names ?? [],
    hasForeignNames: (alternatives?.foreignTags.length ?? 0) > 0,
    basicConstraints: read(EXTENSION.basicConstraints, readBasicConstraints),
    keyUsages: read(EXTENSION.keyUsage, readKeyUsages),
    extendedKeyUsages: read(EXTENSION.extendedKeyUsage, readExtendedKeyUsages),
    subjectKeyIdentifier: read(EXTENSION.subjectKeyIdentifier, readSubjectKeyIdentifier),
    authorityKeyIdentifier: read(EXTENSION.authorityKeyIdentifier, readAuthorityKeyIdentifier),
    nameConstraints: read(EXTENSION.nameConstraints, readNameConstraints),
    hasForeignConstraints: read(EXTENSION.nameConstraints, hasForeignSubtrees) ?? false,
    extensions,
  };
}

function extensionsOf(explicit: DerElement | undefined): ReadonlyMap<string, Extension> {
  if (explicit === undefined) return new Map();
  return readExtensions(readElement(explicit.content, DER_TAG.sequence));
}
