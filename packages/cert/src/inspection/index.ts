export type { BundleFormat } from "./bundle.ts";
export type { Finding, FindingCode, Severity } from "./finding.ts";
export {
  inspectBundle,
  type InspectBundleOptions,
  type InspectedEntry,
  type Inspection,
} from "./inspect-bundle.ts";
export type { RequestSummary } from "./request-summary.ts";
export type { Purpose, RejectionCode } from "./path-rules.ts";
export {
  verifyCertificate,
  type CertificateInput,
  type Verdict,
  type VerifyOptions,
} from "./verify-certificate.ts";
export {
  inspectServer,
  type InspectServerOptions,
  type ServerInspection,
} from "./inspect-server.ts";
