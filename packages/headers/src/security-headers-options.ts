import type {
  ContentSecurityPolicyOptions,
  ContentSecurityPolicyReportOnlyOptions,
} from "./content-security-policy.ts";
import type {
  CrossOriginEmbedderPolicyOptions,
  CrossOriginOpenerPolicyOptions,
  CrossOriginResourcePolicyOptions,
} from "./cross-origin-policies.ts";
import type { DocumentPolicyOptions } from "./document-policy.ts";
import type { IntegrityPolicyOptions } from "./integrity-policy.ts";
import type { PermissionsPolicyOptions } from "./permissions-policy.ts";
import type { PresetName } from "./presets.ts";
import type { ReferrerPolicyOptions } from "./referrer-policy.ts";
import type { ReportingEndpointsOptions } from "./reporting-endpoints.ts";
import type { StrictTransportSecurityOptions } from "./strict-transport-security.ts";
import type { XFrameOptionsOptions } from "./x-frame-options.ts";

/** Options of the X-DNS-Prefetch-Control header. */
export interface XDnsPrefetchControlOptions {
  /**
   * Whether browsers may look up the names of links before they are followed.
   *
   * @default false
   */
  readonly allow?: boolean;
}

/** Options of the X-Permitted-Cross-Domain-Policies header. */
export interface XPermittedCrossDomainPoliciesOptions {
  /**
   * Which policy files Adobe's PDF readers may honour.
   *
   * @default "none"
   */
  readonly permittedPolicies?: "none" | "master-only" | "by-content-type" | "all";
}

/**
 * One option per header, named as in helmet: `false` switches the header off, `true` or nothing
 * takes the preset's value, an object replaces parts of it.
 */
export interface SecurityHeadersOptions {
  /**
   * The values to start from.
   *
   * @default "site"
   */
  readonly preset?: PresetName;
  /** What a page may load, run, embed and be embedded by. */
  readonly contentSecurityPolicy?: ContentSecurityPolicyOptions | boolean;
  /** A second policy that is tried out: violations of it are reported and happen all the same. */
  readonly contentSecurityPolicyReportOnly?: ContentSecurityPolicyReportOnlyOptions | boolean;
  /** Consent for embedding cross-origin resources. Sent by the strict preset only. */
  readonly crossOriginEmbedderPolicy?: CrossOriginEmbedderPolicyOptions | boolean;
  /** An embedder policy that is tried out. */
  readonly crossOriginEmbedderPolicyReportOnly?: CrossOriginEmbedderPolicyOptions | false;
  /** Isolation from the windows of other origins. */
  readonly crossOriginOpenerPolicy?: CrossOriginOpenerPolicyOptions | boolean;
  /** An opener policy that is tried out. */
  readonly crossOriginOpenerPolicyReportOnly?: CrossOriginOpenerPolicyOptions | false;
  /** Which pages may embed the response without CORS. */
  readonly crossOriginResourcePolicy?: CrossOriginResourcePolicyOptions | boolean;
  /** Switches of the document itself. Sent by no preset. */
  readonly documentPolicy?: DocumentPolicyOptions | false;
  /** Switches of the document that are tried out. */
  readonly documentPolicyReportOnly?: DocumentPolicyOptions | false;
  /** Whether scripts and styles without `integrity` are blocked. Sent by no preset. */
  readonly integrityPolicy?: IntegrityPolicyOptions | boolean;
  /** An integrity policy that is tried out. */
  readonly integrityPolicyReportOnly?: IntegrityPolicyOptions | boolean;
  /** Whether the origin gets its own process where the browser can. */
  readonly originAgentCluster?: boolean;
  /** Allowlists of browser features; they replace the preset's one by one. */
  readonly permissionsPolicy?: PermissionsPolicyOptions | boolean;
  /** Allowlists that are tried out; nothing comes from the preset. */
  readonly permissionsPolicyReportOnly?: PermissionsPolicyOptions | false;
  /** How much of the address other servers learn. */
  readonly referrerPolicy?: ReferrerPolicyOptions | boolean;
  /** Where browsers send reports, by the names that the other headers use. */
  readonly reportingEndpoints?: ReportingEndpointsOptions | false;
  /**
   * Whether a Server header set before is removed.
   *
   * @default true
   */
  readonly server?: boolean;
  /**
   * How long browsers use nothing but HTTPS. Sent over TLS only (RFC 6797 section 7.2). Switch it
   * off while developing on `localhost`: it would hold every port of that name to HTTPS.
   */
  readonly strictTransportSecurity?: StrictTransportSecurityOptions | boolean;
  /** Whether browsers must believe the Content-Type (`nosniff`). */
  readonly xContentTypeOptions?: boolean;
  /** DNS look-ups ahead of navigation. */
  readonly xDnsPrefetchControl?: XDnsPrefetchControlOptions | boolean;
  /** Whether Internet Explorer 8 must save downloads before it opens them (`noopen`). */
  readonly xDownloadOptions?: boolean;
  /** Framing for browsers without frame-ancestors. */
  readonly xFrameOptions?: XFrameOptionsOptions | boolean;
  /** Cross-domain policy files of Adobe's PDF readers. */
  readonly xPermittedCrossDomainPolicies?: XPermittedCrossDomainPoliciesOptions | boolean;
  /** Whether an X-Powered-By header set before is removed. */
  readonly xPoweredBy?: boolean;
  /** Whether the faulty filter of old browsers is switched off (`0`). */
  readonly xXssProtection?: boolean;

  /** Another name of `strictTransportSecurity`. */
  readonly hsts?: StrictTransportSecurityOptions | boolean;
  /** Another name of `xContentTypeOptions`. */
  readonly noSniff?: boolean;
  /** Another name of `xDnsPrefetchControl`. */
  readonly dnsPrefetchControl?: XDnsPrefetchControlOptions | boolean;
  /** Another name of `xDownloadOptions`. */
  readonly ieNoOpen?: boolean;
  /** Another name of `xFrameOptions`. */
  readonly frameguard?: XFrameOptionsOptions | boolean;
  /** Another name of `xPermittedCrossDomainPolicies`. */
  readonly permittedCrossDomainPolicies?: XPermittedCrossDomainPoliciesOptions | boolean;
  /** Another name of `xPoweredBy`. */
  readonly hidePoweredBy?: boolean;
  /** Another name of `xXssProtection`. */
  readonly xssFilter?: boolean;
}
