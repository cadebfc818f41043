import type { ContentSecurityPolicyDirectives } from "./content-security-policy.ts";
import type {
  CrossOriginEmbedderPolicy,
  CrossOriginOpenerPolicy,
  CrossOriginResourcePolicy,
} from "./cross-origin-policies.ts";
import type { PermissionsPolicyOptions } from "./permissions-policy.ts";
import type { ReferrerPolicyToken } from "./referrer-policy.ts";
import type { StrictTransportSecurity } from "./strict-transport-security.ts";

/**
 * A complete set of values to start from: `"site"` fits ordinary web sites, `"strict"` trusts
 * nothing a page does not name, `"spa"` fits an application of one page and bundled files, `"api"` is
 * for responses that are never a page.
 */
export type PresetName = "site" | "strict" | "spa" | "api";

/**
 * The value of every header; false for a header that is not sent. docs/guides/csp.md gives the reason
 * for each.
 */
export interface Preset {
  readonly contentSecurityPolicy: ContentSecurityPolicyDirectives;
  readonly crossOriginEmbedderPolicy: CrossOriginEmbedderPolicy | false;
  readonly crossOriginOpenerPolicy: CrossOriginOpenerPolicy | false;
  readonly crossOriginResourcePolicy: CrossOriginResourcePolicy | false;
  readonly originAgentCluster: boolean;
  readonly permissionsPolicy: PermissionsPolicyOptions | false;
  readonly referrerPolicy: readonly ReferrerPolicyToken[];
  readonly strictTransportSecurity: StrictTransportSecurity;
  readonly xContentTypeOptions: boolean;
  readonly xDnsPrefetchControl: "off" | false;
  readonly xDownloadOptions: boolean;
  readonly xFrameOptions: "deny" | "sameorigin";
  readonly xPermittedCrossDomainPolicies: "none" | false;
  readonly xPoweredBy: boolean;
  readonly xXssProtection: boolean;
}

const TWO_YEARS_SECONDS = 63_072_000;

const STRICT_TRANSPORT_SECURITY: StrictTransportSecurity = {
  maxAge: TWO_YEARS_SECONDS,
  includeSubDomains: true,
  preload: false,
};

function deepFreeze<Value extends object>(value: Value): Value {
  for (const part of Object.values(value)) {
    if (typeof part === "object" && part !== null && !Object.isFrozen(part)) deepFreeze(part);
  }
  return Object.freeze(value);
}

const site: Preset = {
  contentSecurityPolicy: {
    "default-src": ["'self'"],
    "base-uri": ["'self'"],
    "font-src": ["'self'", "https:", "data:"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'self'"],
    "img-src": ["'self'", "data:"],
    "object-src": ["'none'"],
    "script-src": ["'self'", "'nonce'"],
    "script-src-attr": ["'none'"],
    "style-src": ["'self'", "https:", "'unsafe-inline'"],
    "upgrade-insecure-requests": [],
  },
  crossOriginEmbedderPolicy: false,
  crossOriginOpenerPolicy: "same-origin",
  crossOriginResourcePolicy: "same-origin",
  originAgentCluster: true,
  permissionsPolicy: {
    camera: [],
    "display-capture": [],
    geolocation: [],
    hid: [],
    microphone: [],
    midi: [],
    payment: [],
    serial: [],
    usb: [],
  },
  referrerPolicy: ["no-referrer"],
  strictTransportSecurity: STRICT_TRANSPORT_SECURITY,
  xContentTypeOptions: true,
  xDnsPrefetchControl: "off",
  xDownloadOptions: true,
  xFrameOptions: "sameorigin",
  xPermittedCrossDomainPolicies: "none",
  xPoweredBy: true,
  xXssProtection: true,
};

const strict: Preset = {
  contentSecurityPolicy: {
    "default-src": ["'none'"],
    "script-src": ["'nonce'", "'strict-dynamic'"],
    "style-src": ["'self'", "'nonce'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "media-src": ["'self'"],
    "manifest-src": ["'self'"],
    "worker-src": ["'self'"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
    "require-trusted-types-for": ["'script'"],
    // 'strict-dynamic' lets a trusted script insert any other: a policy that passes everything would be the way in.
    "trusted-types": ["'none'"],
    "upgrade-insecure-requests": [],
  },
  crossOriginEmbedderPolicy: "require-corp",
  crossOriginOpenerPolicy: "same-origin",
  crossOriginResourcePolicy: "same-origin",
  originAgentCluster: true,
  permissionsPolicy: {
    accelerometer: [],
    camera: [],
    "clipboard-read": [],
    "display-capture": [],
    "encrypted-media": [],
    gamepad: [],
    geolocation: [],
    gyroscope: [],
    hid: [],
    "identity-credentials-get": [],
    "idle-detection": [],
    magnetometer: [],
    microphone: [],
    midi: [],
    "otp-credentials": [],
    payment: [],
    "screen-wake-lock": [],
    serial: [],
    "storage-access": [],
    "sync-xhr": [],
    usb: [],
    "window-management": [],
    "xr-spatial-tracking": [],
  },
  referrerPolicy: ["no-referrer"],
  strictTransportSecurity: STRICT_TRANSPORT_SECURITY,
  xContentTypeOptions: true,
  xDnsPrefetchControl: "off",
  xDownloadOptions: false,
  xFrameOptions: "deny",
  xPermittedCrossDomainPolicies: "none",
  xPoweredBy: true,
  xXssProtection: false,
};

const spa: Preset = {
  ...site,
  contentSecurityPolicy: {
    "default-src": ["'none'"],
    "script-src": ["'self'", "'nonce'"],
    "script-src-attr": ["'none'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:", "blob:"],
    "font-src": ["'self'", "data:"],
    "connect-src": ["'self'"],
    "media-src": ["'self'", "blob:"],
    "manifest-src": ["'self'"],
    "worker-src": ["'self'", "blob:"],
    "frame-src": ["'self'"],
    "object-src": ["'none'"],
    "base-uri": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
    "upgrade-insecure-requests": [],
  },
  crossOriginOpenerPolicy: "same-origin-allow-popups",
  referrerPolicy: ["strict-origin-when-cross-origin"],
  xDownloadOptions: false,
  xFrameOptions: "deny",
  xXssProtection: false,
};

const api: Preset = {
  contentSecurityPolicy: {
    "default-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'none'"],
  },
  crossOriginEmbedderPolicy: false,
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: "same-origin",
  originAgentCluster: false,
  permissionsPolicy: false,
  referrerPolicy: ["no-referrer"],
  strictTransportSecurity: STRICT_TRANSPORT_SECURITY,
  xContentTypeOptions: true,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: "deny",
  xPermittedCrossDomainPolicies: false,
  xPoweredBy: true,
  xXssProtection: false,
};

/** The presets themselves, to read, to compare, or to take parts of. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = deepFreeze({
  site,
  strict,
  spa,
  api,
});
