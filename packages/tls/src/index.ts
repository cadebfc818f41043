export type { CertificateFiles } from "./certificate-files.ts";
export type { CertificatePair, CertificatePairDetails } from "./certificate-pair.ts";
export { validateCertificatePair } from "./certificate-pair.ts";
export type { CertificateSource } from "./certificate-source.ts";
export { fixedCertificates } from "./certificate-source.ts";
export type {
  CertificateWatcher,
  CertificateWatcherEvent,
  CertificateWatcherOptions,
} from "./certificate-watcher.ts";
export { watchCertificates } from "./certificate-watcher.ts";
export type { TlsErrorCode } from "./errors.ts";
export { TlsError } from "./errors.ts";
export { applyHttp2Limits } from "./http2-limits.ts";
export type { Http2Limits } from "./http2-options.ts";
export { http2ServerOptions } from "./http2-options.ts";
export type { SecureContextSettings } from "./secure-context.ts";
export { createSecureContext, secureContextOptions } from "./secure-context.ts";
export type { Clock, SessionTicketKeys, SessionTicketKeysOptions } from "./session-tickets.ts";
export { sessionTicketKeys } from "./session-tickets.ts";
export type { TlsProfile, TlsProfileName, TlsProtocol } from "./tls-profile.ts";
export { tlsProfile } from "./tls-profile.ts";
export type { TlsServerEvent, TlsServerOptions } from "./tls-server.ts";
export { createTlsServer } from "./tls-server.ts";
