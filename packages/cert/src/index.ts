export { authorityDirectory } from "./authority-directory.ts";
export {
  checkAuthority,
  type AuthorityFault,
  type AuthorityFinding,
  type AuthorityReport,
  type CheckAuthorityOptions,
} from "./authority-health.ts";
export { createAuthority, type Authority, type CreateAuthorityOptions } from "./authority.ts";
export { devCertificate, type DevCertificate } from "./dev-certificate.ts";
export type { DevCertificateOptions } from "./dev-certificate-options.ts";
export { CertError, type CertErrorCode } from "./errors.ts";
export { inspectCertificate, type CertificateSummary } from "./inspect.ts";
export {
  exportCertificate,
  type CertificateFormat,
  type ExportableCertificate,
  type ExportedCertificate,
  type ExportedFile,
  type ExportOptions,
} from "./format-files.ts";
export {
  toChain,
  toCombinedPem,
  toDer,
  toKubernetesSecret,
  type KubernetesSecretOptions,
} from "./formats.ts";
export {
  issueFromRequest,
  type IssueFromRequestOptions,
  type RequestedCertificate,
} from "./issue-from-request.ts";
export {
  issueCertificate,
  type CertificatePurpose,
  type IssuedCertificate,
  type IssueOptions,
  type SignedCertificate,
} from "./issue.ts";
export {
  keepDevCertificate,
  type KeepDevCertificateOptions,
  type KeepEvent,
  type KeptDevCertificate,
} from "./keep-dev-certificate.ts";
export type { KeyKind } from "./key-pair.ts";
export {
  DEVELOPMENT_NAMES,
  widenNames,
  type NameConstraints,
  type NameSubtrees,
  type PermittedNames,
} from "./name-constraints.ts";
export { needsRenewal, type Validity } from "./renewal.ts";
export {
  openAuthority,
  type OpenAuthorityOptions,
  type OpenedAuthority,
} from "./open-authority.ts";
export type { Passphrase } from "./passphrase.ts";
export {
  rotateAuthority,
  type RotateAuthorityOptions,
  type RotatedAuthority,
} from "./rotate-authority.ts";
export {
  toPkcs12,
  type CertificateWithKey,
  type Pkcs12,
  type Pkcs12Options,
} from "./pkcs12-export.ts";
export {
  loadAuthority,
  type LoadAuthorityOptions,
  type StoredAuthority,
} from "./stored-authority.ts";
export { parseSubjectNames, type SubjectName } from "./subject-names.ts";
