import { IncomingMessage } from "node:http";
import {
  parseContentSecurityPolicy,
  type ContentSecurityPolicy,
} from "./content-security-policy.ts";
import {
  parseCrossOriginEmbedderPolicy,
  parseCrossOriginOpenerPolicy,
  parseCrossOriginResourcePolicy,
  type CrossOriginEmbedderPolicy,
  type CrossOriginOpenerPolicy,
  type CrossOriginResourcePolicy,
} from "./cross-origin-policies.ts";
import { keywordOption } from "./keyword-option.ts";
import { booleanOption, oneOf, optionRecord } from "./option-checks.ts";
import { parsePermissionsPolicy } from "./permissions-policy.ts";
import { PRESETS, type Preset, type PresetName } from "./presets.ts";
import { parseReferrerPolicy, type ReferrerPolicyToken } from "./referrer-policy.ts";
import type { SecurityHeadersOptions } from "./security-headers-options.ts";
import {
  parseStrictTransportSecurity,
  type StrictTransportSecurity,
} from "./strict-transport-security.ts";
import { parseFraming, type FrameAction } from "./x-frame-options.ts";

type AliasName =
  | "hsts"
  | "noSniff"
  | "dnsPrefetchControl"
  | "ieNoOpen"
  | "frameguard"
  | "permittedCrossDomainPolicies"
  | "hidePoweredBy"
  | "xssFilter";

type OptionName = Exclude<keyof SecurityHeadersOptions, AliasName>;

/** Complete and checked: what each header says, or false where it is not sent. */
export interface HeaderSettings {
  readonly contentSecurityPolicy: ContentSecurityPolicy | undefined;
  readonly crossOriginEmbedderPolicy: CrossOriginEmbedderPolicy | false;
  readonly crossOriginOpenerPolicy: CrossOriginOpenerPolicy | false;
  readonly crossOriginResourcePolicy: CrossOriginResourcePolicy | false;
  readonly originAgentCluster: boolean;
  readonly permissionsPolicy: string | undefined;
  readonly referrerPolicy: readonly ReferrerPolicyToken[] | false;
  readonly strictTransportSecurity: StrictTransportSecurity | undefined;
  readonly xContentTypeOptions: boolean;
  readonly xDnsPrefetchControl: "on" | "off" | false;
  readonly xDownloadOptions: boolean;
  readonly xFrameOptions: FrameAction | false;
  readonly xPermittedCrossDomainPolicies: PermittedPolicies | false;
  readonly xPoweredBy: boolean;
  readonly xXssProtection: boolean;
}

const PERMITTED_POLICIES = ["none", "master-only", "by-content-type", "all"] as const;
type PermittedPolicies = (typeof PERMITTED_POLICIES)[number];

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
  crossOriginEmbedderPolicy: true,
  crossOriginOpenerPolicy: true,
  crossOriginResourcePolicy: true,
  originAgentCluster: true,
  permissionsPolicy: true,
  referrerPolicy: true,
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

const PRESET_NAMES: readonly PresetName[] = ["site", "strict", "api"];

function isAlias(name: string): name is AliasName {
  return Object.hasOwn(ALIASES, name);
}

function givenOptions(options: SecurityHeadersOptions): ReadonlyMap<string, unknown> {
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

function parseSwitch(path: string, option: unknown, preset: boolean): boolean {
  return option === undefined ? preset : booleanOption(path, option);
}

function parseDnsPrefetchControl(
  path: string,
  option: unknown,
  preset: Preset["xDnsPrefetchControl"],
): "on" | "off" | false {
  if (option === undefined) return preset;
  if (option === false) return false;
  const allow =
    option === true ? undefined : optionRecord(path, option, { allow: true }).get("allow");
  return booleanOption(`${path}.allow`, allow ?? false) ? "on" : "off";
}

/**
 * Checks the options once and completes them from the preset.
 *
 * @throws {TypeError | RangeError} Naming the option, its value and, for a misspelling, the nearest name.
 */
export function parseSecurityHeadersOptions(options: SecurityHeadersOptions): HeaderSettings {
  const given = givenOptions(options);
  const preset = PRESETS[oneOf("preset", given.get("preset") ?? "site", PRESET_NAMES)];
  const parse = <Name extends Exclude<OptionName, "preset">, Value>(
    name: Name,
    parser: (path: string, option: unknown, preset: Preset[Name]) => Value,
  ): Value => parser(name, given.get(name), preset[name]);

  const policy = parse("contentSecurityPolicy", parseContentSecurityPolicy);
  const framing = parse("xFrameOptions", (path, option, action) =>
    parseFraming(path, option, { policy, preset: action }),
  );
  return {
    contentSecurityPolicy: framing.policy,
    crossOriginEmbedderPolicy: parse("crossOriginEmbedderPolicy", parseCrossOriginEmbedderPolicy),
    crossOriginOpenerPolicy: parse("crossOriginOpenerPolicy", parseCrossOriginOpenerPolicy),
    crossOriginResourcePolicy: parse("crossOriginResourcePolicy", parseCrossOriginResourcePolicy),
    originAgentCluster: parse("originAgentCluster", parseSwitch),
    permissionsPolicy: parse("permissionsPolicy", parsePermissionsPolicy),
    referrerPolicy: parse("referrerPolicy", parseReferrerPolicy),
    strictTransportSecurity: parse("strictTransportSecurity", parseStrictTransportSecurity),
    xContentTypeOptions: parse("xContentTypeOptions", parseSwitch),
    xDnsPrefetchControl: parse("xDnsPrefetchControl", parseDnsPrefetchControl),
    xDownloadOptions: parse("xDownloadOptions", parseSwitch),
    xFrameOptions: framing.action,
    xPermittedCrossDomainPolicies: parse("xPermittedCrossDomainPolicies", (path, option, initial) =>
      keywordOption<PermittedPolicies>(path, option, {
        key: "permittedPolicies",
        keywords: PERMITTED_POLICIES,
        preset: initial,
      }),
    ),
    xPoweredBy: parse("xPoweredBy", parseSwitch),
    xXssProtection: parse("xXssProtection", parseSwitch),
  };
}
