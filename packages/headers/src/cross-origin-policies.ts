import { keywordOption } from "./keyword-option.ts";
import { optionRecord } from "./option-checks.ts";
import { endpointName } from "./reporting-endpoints.ts";
import { stringItem } from "./structured-field.ts";

const EMBEDDER_POLICIES = ["require-corp", "credentialless", "unsafe-none"] as const;
const OPENER_POLICIES = [
  "same-origin",
  "same-origin-allow-popups",
  "noopener-allow-popups",
  "unsafe-none",
] as const;
const RESOURCE_POLICIES = ["same-origin", "same-site", "cross-origin"] as const;

export type CrossOriginEmbedderPolicy = (typeof EMBEDDER_POLICIES)[number];
export type CrossOriginOpenerPolicy = (typeof OPENER_POLICIES)[number];
export type CrossOriginResourcePolicy = (typeof RESOURCE_POLICIES)[number];

/** Options of the Cross-Origin-Embedder-Policy header and its report-only form. */
export interface CrossOriginEmbedderPolicyOptions {
  /**
   * Whether cross-origin resources that give no consent are blocked, fetched without credentials,
   * or embedded as ever.
   *
   * @see HTML section 7.1.4
   */
  readonly policy?: CrossOriginEmbedderPolicy;
  /** Name of the reporting endpoint that learns what was blocked. The report-only form needs it. */
  readonly reportTo?: string;
}

/** Options of the Cross-Origin-Opener-Policy header and its report-only form. */
export interface CrossOriginOpenerPolicyOptions {
  /**
   * Which documents may hold a reference to this one's window. `"same-origin"` breaks sign-in
   * windows of other origins; `"same-origin-allow-popups"` keeps those the page opens itself.
   *
   * @see HTML section 7.1.3
   */
  readonly policy?: CrossOriginOpenerPolicy;
  /** Name of the reporting endpoint that learns what was cut off. The report-only form needs it. */
  readonly reportTo?: string;
}

/** Options of the Cross-Origin-Resource-Policy header. */
export interface CrossOriginResourcePolicyOptions {
  /**
   * Whose pages may embed this response without CORS.
   *
   * @see Fetch section 3.7
   */
  readonly policy?: CrossOriginResourcePolicy;
}

/** One isolation header: its keyword and who learns of violations. */
export interface Isolation<Policy extends string> {
  readonly policy: Policy;
  readonly reportTo: string | undefined;
}

/** Returns the header's value, a token with at most one parameter (RFC 9651 section 3.3). */
export function isolationValue({ policy, reportTo }: Isolation<string>): string {
  return reportTo === undefined ? policy : `${policy}; report-to=${stringItem(reportTo)}`;
}

function parseIsolation<Policy extends string>(
  path: string,
  option: unknown,
  header: { readonly keywords: readonly [Policy, ...Policy[]]; readonly preset: Policy | false },
): Isolation<Policy> | false {
  if (typeof option !== "object") {
    const policy = keywordOption(path, option, { key: "policy", ...header });
    return policy && { policy, reportTo: undefined };
  }
  const given = optionRecord(path, option, { policy: true, reportTo: true });
  const policy = keywordOption(path, { policy: given.get("policy") }, { key: "policy", ...header });
  const reportTo = given.get("reportTo");
  return (
    policy && {
      policy,
      reportTo: reportTo === undefined ? undefined : endpointName(`${path}.reportTo`, reportTo),
    }
  );
}

/** A form that prevents nothing and reports to nobody would be sent in vain. */
function reporting<Policy extends string>(
  path: string,
  isolation: Isolation<Policy> | false,
): Isolation<Policy> | false {
  if (isolation === false || isolation.reportTo !== undefined) return isolation;
  throw new TypeError(`${path} needs reportTo, the name of the endpoint that gets the reports`);
}

export function parseCrossOriginEmbedderPolicy(
  path: string,
  option: unknown,
  preset: CrossOriginEmbedderPolicy | false,
): Isolation<CrossOriginEmbedderPolicy> | false {
  return parseIsolation(path, option, { keywords: EMBEDDER_POLICIES, preset });
}

export function parseCrossOriginEmbedderPolicyReportOnly(
  path: string,
  option: unknown,
): Isolation<CrossOriginEmbedderPolicy> | false {
  return reporting(path, parseCrossOriginEmbedderPolicy(path, option, false));
}

export function parseCrossOriginOpenerPolicy(
  path: string,
  option: unknown,
  preset: CrossOriginOpenerPolicy | false,
): Isolation<CrossOriginOpenerPolicy> | false {
  return parseIsolation(path, option, { keywords: OPENER_POLICIES, preset });
}

export function parseCrossOriginOpenerPolicyReportOnly(
  path: string,
  option: unknown,
): Isolation<CrossOriginOpenerPolicy> | false {
  return reporting(path, parseCrossOriginOpenerPolicy(path, option, false));
}

export function parseCrossOriginResourcePolicy(
  path: string,
  option: unknown,
  preset: CrossOriginResourcePolicy | false,
): CrossOriginResourcePolicy | false {
  return keywordOption(path, option, { key: "policy", keywords: RESOURCE_POLICIES, preset });
}
