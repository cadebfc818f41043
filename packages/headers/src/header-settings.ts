import {
  parseContentSecurityPolicy,
  parseContentSecurityPolicyReportOnly,
  type ContentSecurityPolicy,
} from "./content-security-policy.ts";
import {
  parseCrossOriginEmbedderPolicy,
  parseCrossOriginEmbedderPolicyReportOnly,
  parseCrossOriginOpenerPolicy,
  parseCrossOriginOpenerPolicyReportOnly,
  parseCrossOriginResourcePolicy,
  type CrossOriginEmbedderPolicy,
  type CrossOriginOpenerPolicy,
  type CrossOriginResourcePolicy,
  type Isolation,
} from "./cross-origin-policies.ts";
import { parseDocumentPolicy } from "./document-policy.ts";
import { givenOptions, type OptionName } from "./given-options.ts";
import { parseIntegrityPolicy } from "./integrity-policy.ts";
import { keywordOption } from "./keyword-option.ts";
import { booleanOption, oneOf, optionRecord } from "./option-checks.ts";
import { parsePermissionsPolicy } from "./permissions-policy.ts";
import { PRESETS, type Preset, type PresetName } from "./presets.ts";
import { parseReferrerPolicy, type ReferrerPolicyToken } from "./referrer-policy.ts";
import {
  checkEndpoints,
  parseReportingEndpoints,
  type ReportingValue,
} from "./reporting-endpoints.ts";
import type { SecurityHeadersOptions } from "./security-headers-options.ts";
import {
  parseStrictTransportSecurity,
  type StrictTransportSecurity,
} from "./strict-transport-security.ts";
import { parseFraming, type FrameAction } from "./x-frame-options.ts";

/** Complete and checked: what each header says, or false where it is not sent. */
export interface HeaderSettings {
  readonly contentSecurityPolicy: ContentSecurityPolicy | undefined;
  readonly contentSecurityPolicyReportOnly: ContentSecurityPolicy | undefined;
  readonly crossOriginEmbedderPolicy: Isolation<CrossOriginEmbedderPolicy> | false;
  readonly crossOriginEmbedderPolicyReportOnly: Isolation<CrossOriginEmbedderPolicy> | false;
  readonly crossOriginOpenerPolicy: Isolation<CrossOriginOpenerPolicy> | false;
  readonly crossOriginOpenerPolicyReportOnly: Isolation<CrossOriginOpenerPolicy> | false;
  readonly crossOriginResourcePolicy: CrossOriginResourcePolicy | false;
  readonly documentPolicy: ReportingValue | undefined;
  readonly documentPolicyReportOnly: ReportingValue | undefined;
  readonly integrityPolicy: ReportingValue | undefined;
  readonly integrityPolicyReportOnly: ReportingValue | undefined;
  readonly originAgentCluster: boolean;
  readonly permissionsPolicy: ReportingValue | undefined;
  readonly permissionsPolicyReportOnly: ReportingValue | undefined;
  readonly referrerPolicy: readonly ReferrerPolicyToken[] | false;
  readonly reportingEndpoints: ReportingValue | undefined;
  readonly server: boolean;
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

const ISOLATION_OPTIONS = [
  "crossOriginEmbedderPolicy",
  "crossOriginEmbedderPolicyReportOnly",
  "crossOriginOpenerPolicy",
  "crossOriginOpenerPolicyReportOnly",
] as const;

const REPORTING_OPTIONS = [
  "documentPolicy",
  "documentPolicyReportOnly",
  "integrityPolicy",
  "integrityPolicyReportOnly",
  "permissionsPolicy",
  "permissionsPolicyReportOnly",
] as const;

const PRESET_NAMES: readonly PresetName[] = ["site", "strict", "spa", "api"];

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

/** Returns the endpoints that each option names. */
function namedEndpoints(settings: HeaderSettings): ReadonlyMap<string, readonly string[]> {
  const named = new Map<string, readonly string[]>();
  for (const name of ["contentSecurityPolicy", "contentSecurityPolicyReportOnly"] as const) {
    const entries = settings[name]?.directives.get("report-to")?.entries ?? [];
    named.set(
      `${name}.directives.report-to`,
      entries.filter((entry) => typeof entry === "string"),
    );
  }
  for (const name of ISOLATION_OPTIONS) {
    const isolation = settings[name];
    if (isolation !== false && isolation.reportTo !== undefined)
      named.set(`${name}.reportTo`, [isolation.reportTo]);
  }
  for (const name of REPORTING_OPTIONS) named.set(name, settings[name]?.endpoints ?? []);
  return named;
}

/** Two policies that only report would need the same header. */
function checkReportOnly(settings: HeaderSettings): void {
  const { contentSecurityPolicy: policy, contentSecurityPolicyReportOnly: tried } = settings;
  if (policy?.reportOnly === true && tried !== undefined) {
    throw new TypeError(
      "contentSecurityPolicy.reportOnly contradicts contentSecurityPolicyReportOnly: no policy would be enforced; leave one out",
    );
  }
}

/**
 * Checks the options once and completes them from the preset.
 *
 * @throws {TypeError | RangeError} Naming the option, its value and, for a misspelling, the nearest name.
 */
export function parseSecurityHeadersOptions(options: SecurityHeadersOptions): HeaderSettings {
  const given = givenOptions(options);
  const preset = PRESETS[oneOf("preset", given.get("preset") ?? "site", PRESET_NAMES)];
  const parse = <Name extends keyof Preset, Value>(
    name: Name,
    parser: (path: string, option: unknown, preset: Preset[Name]) => Value,
  ): Value => parser(name, given.get(name), preset[name]);
  const parseExtra = <Value>(
    name: Exclude<OptionName, keyof Preset>,
    parser: (path: string, option: unknown) => Value,
  ): Value => parser(name, given.get(name));

  const policy = parse("contentSecurityPolicy", parseContentSecurityPolicy);
  const framing = parse("xFrameOptions", (path, option, action) =>
    parseFraming(path, option, { policy, preset: action }),
  );
  const settings: HeaderSettings = {
    contentSecurityPolicy: framing.policy,
    contentSecurityPolicyReportOnly: parseExtra("contentSecurityPolicyReportOnly", (path, option) =>
      parseContentSecurityPolicyReportOnly(path, option, preset.contentSecurityPolicy),
    ),
    crossOriginEmbedderPolicy: parse("crossOriginEmbedderPolicy", parseCrossOriginEmbedderPolicy),
    crossOriginEmbedderPolicyReportOnly: parseExtra(
      "crossOriginEmbedderPolicyReportOnly",
      parseCrossOriginEmbedderPolicyReportOnly,
    ),
    crossOriginOpenerPolicy: parse("crossOriginOpenerPolicy", parseCrossOriginOpenerPolicy),
    crossOriginOpenerPolicyReportOnly: parseExtra(
      "crossOriginOpenerPolicyReportOnly",
      parseCrossOriginOpenerPolicyReportOnly,
    ),
    crossOriginResourcePolicy: parse("crossOriginResourcePolicy", parseCrossOriginResourcePolicy),
    documentPolicy: parseExtra("documentPolicy", parseDocumentPolicy),
    documentPolicyReportOnly: parseExtra("documentPolicyReportOnly", parseDocumentPolicy),
    integrityPolicy: parseExtra("integrityPolicy", parseIntegrityPolicy),
    integrityPolicyReportOnly: parseExtra("integrityPolicyReportOnly", parseIntegrityPolicy),
    originAgentCluster: parse("originAgentCluster", parseSwitch),
    permissionsPolicy: parse("permissionsPolicy", parsePermissionsPolicy),
    permissionsPolicyReportOnly: parseExtra("permissionsPolicyReportOnly", (path, option) =>
      parsePermissionsPolicy(path, option, false),
    ),
    referrerPolicy: parse("referrerPolicy", parseReferrerPolicy),
    reportingEndpoints: parseExtra("reportingEndpoints", parseReportingEndpoints),
    server: parseExtra("server", (path, option) => parseSwitch(path, option, true)),
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
  checkReportOnly(settings);
  checkEndpoints(settings.reportingEndpoints?.endpoints, namedEndpoints(settings));
  return settings;
}
