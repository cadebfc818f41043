import { IncomingMessage } from "node:http";
import { optionRecord } from "./option-checks.ts";
import type { SecurityHeadersOptions } from "./security-headers-options.ts";

type AliasName =
  | "hsts"
  | "noSniff"
  | "dnsPrefetchControl"
  | "ieNoOpen"
  | "frameguard"
  | "permittedCrossDomainPolicies"
  | "hidePoweredBy"
  | "xssFilter";

/** An option by the name that is not an alias. */
export type OptionName = Exclude<keyof SecurityHeadersOptions, AliasName>;

const ALIASES: Readonly<Record<AliasName, OptionName>> = {
  hsts: "strictTransportSecurity",
  noSniff: "xContentTypeOptions",
  dnsPrefetchControl: "xDnsPrefetchControl",
  ieNoOpen: "xDownloadOptions",
  frameguard: "xFrameOptions",
  permittedCrossDomainPolicies: "xPermittedCrossDomainPolicies",
  hidePoweredBy: "xPoweredBy",
  xssFilter: "xXssProtection",
};

const KNOWN_OPTIONS = {
  preset: true,
  contentSecurityPolicy: true,
  contentSecurityPolicyReportOnly: true,
  crossOriginEmbedderPolicy: true,
  crossOriginEmbedderPolicyReportOnly: true,
  crossOriginOpenerPolicy: true,
  crossOriginOpenerPolicyReportOnly: true,
  crossOriginResourcePolicy: true,
  documentPolicy: true,
  documentPolicyReportOnly: true,
  integrityPolicy: true,
  integrityPolicyReportOnly: true,
  originAgentCluster: true,
  permissionsPolicy: true,
  permissionsPolicyReportOnly: true,
  referrerPolicy: true,
  reportingEndpoints: true,
  server: true,
  strictTransportSecurity: true,
  xContentTypeOptions: true,
  xDnsPrefetchControl: true,
  xDownloadOptions: true,
  xFrameOptions: true,
  xPermittedCrossDomainPolicies: true,
  xPoweredBy: true,
  xXssProtection: true,
  hsts: true,
  noSniff: true,
  dnsPrefetchControl: true,
  ieNoOpen: true,
  frameguard: true,
  permittedCrossDomainPolicies: true,
  hidePoweredBy: true,
  xssFilter: true,
} satisfies Record<keyof SecurityHeadersOptions, true>;

function isAlias(name: string): name is AliasName {
  return Object.hasOwn(ALIASES, name);
}

/**
 * Returns the options by their own names.
 *
 * @throws {TypeError} If one is unknown, or given twice by its alias.
 */
export function givenOptions(options: SecurityHeadersOptions): ReadonlyMap<string, unknown> {
  if (options instanceof IncomingMessage) {
    throw new TypeError(
      "securityHeaders got a request; write app.use(securityHeaders()), with the call",
    );
  }
  const given = new Map<string, unknown>();
  for (const [key, value] of optionRecord("securityHeaders options", options, KNOWN_OPTIONS)) {
    const name = isAlias(key) ? ALIASES[key] : key;
    if (given.has(name))
      throw new TypeError(`${name} is given twice, also by its alias; remove one`);
    given.set(name, value);
  }
  return given;
}
