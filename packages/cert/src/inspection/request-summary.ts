import {
  EXTENSION,
  readAlternativeNames,
  readBasicConstraints,
  readExtendedKeyUsages,
  readKeyUsages,
  type KeyUsage,
} from "../certificate-extensions.ts";
import { isSignedByItsKey, type CertificateRequest } from "../certificate-request.ts";
import { formatDistinguishedName } from "../distinguished-name.ts";
import { keyName } from "../key-pair.ts";
import { signatureScheme } from "../signature-algorithm.ts";
import type { SubjectName } from "../subject-names.ts";

/** What a certificate signing request asks for, in plain values. */
export interface RequestSummary {
  /** The distinguished name on one line; may be empty. */
  readonly subject: string;
  readonly names: readonly string[];
  readonly subjectNames: readonly SubjectName[];
  /** As in `CertificateSummary`. */
  readonly key: string;
  readonly signatureAlgorithm: string;
  /** Whether the key in it made its signature: proof that the sender holds the private key. */
  readonly isSignatureValid: boolean;
  readonly asksForAuthority: boolean;
  readonly keyUsages: readonly KeyUsage[] | undefined;
  readonly extendedKeyUsages: readonly string[] | undefined;
}

/**
 * Returns what a request asks for.
 *
 * @throws {SyntaxError} If an extension is malformed
 */
export function summarizeRequest(request: CertificateRequest): RequestSummary {
  const read = <T>(id: string, reader: (value: Buffer) => T): T | undefined => {
    const extension = request.extensions.get(id);
    return extension === undefined ? undefined : reader(extension.value);
  };
  const subjectNames = read(EXTENSION.subjectAltName, readAlternativeNames)?.names ?? [];
  return {
    subject: formatDistinguishedName(request.subject),
    names: subjectNames.map(({ value }) => value),
    subjectNames,
    key: keyName(request.publicKey),
    signatureAlgorithm: signatureScheme(request.signatureAlgorithm).name,
    isSignatureValid: isSignedByItsKey(request),
    asksForAuthority: read(EXTENSION.basicConstraints, readBasicConstraints)?.isAuthority ?? false,
    keyUsages: read(EXTENSION.keyUsage, readKeyUsages),
    extendedKeyUsages: read(EXTENSION.extendedKeyUsage, readExtendedKeyUsages),
  };
}
