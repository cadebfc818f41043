export { clearSiteData } from "./clear-site-data.ts";
export type { SiteDataType } from "./clear-site-data.ts";
export { compileSecurityHeaders } from "./compiled-headers.ts";
export type { CompiledHeaders } from "./compiled-headers.ts";
export type {
  ContentSecurityPolicyDirectives,
  ContentSecurityPolicyOptions,
  ContentSecurityPolicyReportOnlyOptions,
  DirectiveFunction,
  DirectiveValue,
} from "./content-security-policy.ts";
export type {
  CrossOriginEmbedderPolicy,
  CrossOriginEmbedderPolicyOptions,
  CrossOriginOpenerPolicy,
  CrossOriginOpenerPolicyOptions,
  CrossOriginResourcePolicy,
  CrossOriginResourcePolicyOptions,
} from "./cross-origin-policies.ts";
export { crossOriginProtection } from "./cross-origin-protection.ts";
export type { CrossOriginProtectionOptions } from "./cross-origin-protection.ts";
export type { DirectiveName } from "./csp-directives.ts";
export type { DocumentPolicyFeature, DocumentPolicyOptions } from "./document-policy.ts";
export { HeadersError } from "./errors.ts";
export type { HeadersErrorCode } from "./errors.ts";
export { hardenCookies } from "./harden-cookies.ts";
export type { CookieHardeningOptions, CookieReport } from "./harden-cookies.ts";
export type { ResponseSecurity } from "./header-variant.ts";
export { inlineHashes } from "./inline-hashes.ts";
export type { InlineHashes, InlineHashesOptions } from "./inline-hashes.ts";
export type { IntegrityDestination, IntegrityPolicyOptions } from "./integrity-policy.ts";
export { createNonce, cspNonce } from "./nonce.ts";
export { nonceGuard } from "./nonce-guard.ts";
export type { NonceGuardEvent, NonceGuardOptions } from "./nonce-guard.ts";
export { addNonce, nonceTemplate } from "./nonce-template.ts";
export { pageSubresources } from "./page-subresources.ts";
export type { PageSubresources } from "./page-subresources.ts";
export type {
  PermissionsPolicyFeature,
  PermissionsPolicyOptions,
  ReportedAllowlist,
} from "./permissions-policy.ts";
export { noStore } from "./no-store.ts";
export { describePolicy } from "./policy-description.ts";
export { diffPolicies, formatPolicyDiff } from "./policy-diff.ts";
export type { DirectiveChange } from "./policy-diff.ts";
export { mergePolicy } from "./policy-merge.ts";
export { PRESETS } from "./presets.ts";
export type { Preset, PresetName } from "./presets.ts";
export type { ReferrerPolicyOptions, ReferrerPolicyToken } from "./referrer-policy.ts";
export type { ReportingEndpointsOptions } from "./reporting-endpoints.ts";
export { resourceIsolation } from "./resource-isolation.ts";
export type { ResourceIsolationOptions } from "./resource-isolation.ts";
export type { RefusedRequest } from "./request-refusal.ts";
export { securityHeaders } from "./security-headers.ts";
export type { SecurityHeaders, SecurityHeadersMiddleware } from "./security-headers.ts";
export type {
  SecurityHeadersOptions,
  XDnsPrefetchControlOptions,
  XPermittedCrossDomainPoliciesOptions,
} from "./security-headers-options.ts";
export { formatSecurityTxt, SECURITY_TXT_PATHS, securityTxt } from "./security-txt.ts";
export type {
  SecurityTxt,
  SecurityTxtEvent,
  SecurityTxtFields,
  SecurityTxtOptions,
} from "./security-txt.ts";
export type { PolicySource } from "./serialized-policy.ts";
export type { StrictTransportSecurityOptions } from "./strict-transport-security.ts";
export type { FrameAction, XFrameOptionsOptions } from "./x-frame-options.ts";
