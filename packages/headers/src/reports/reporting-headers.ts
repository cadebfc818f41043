import type { ContentSecurityPolicyOptions } from "../content-security-policy.ts";
import type { SecurityHeadersOptions } from "../security-headers-options.ts";

/** Where `reportCollector()` takes reports unless told otherwise. */
export const DEFAULT_REPORTS_PATH = "/.well-known/reports";

/**
 * Returns options of `securityHeaders()` that also make browsers report to a collector at `path`: the
 * endpoints `csp` and `default` in Reporting-Endpoints, and `report-to` with `report-uri`, for
 * browsers without the former, in the policies. What the options say about reporting already stays.
 */
export function reportingHeaders(
  options: SecurityHeadersOptions = {},
  path: string = DEFAULT_REPORTS_PATH,
): SecurityHeadersOptions {
  const { contentSecurityPolicy, contentSecurityPolicyReportOnly, reportingEndpoints } = options;
  if (reportingEndpoints === false) return options;
  const address = `${path}/csp`;
  return {
    ...options,
    reportingEndpoints: { csp: address, default: `${path}/default`, ...reportingEndpoints },
    ...(contentSecurityPolicy !== false && {
      contentSecurityPolicy: reportingPolicy(contentSecurityPolicy, address),
    }),
    ...(contentSecurityPolicyReportOnly !== undefined &&
      contentSecurityPolicyReportOnly !== false && {
        contentSecurityPolicyReportOnly: reportingPolicy(contentSecurityPolicyReportOnly, address),
      }),
  };
}

function reportingPolicy<Options extends ContentSecurityPolicyOptions>(
  policy: Options | true | undefined,
  address: string,
): Options | { readonly directives: ContentSecurityPolicyOptions["directives"] & object } {
  const given = policy === true || policy === undefined ? undefined : policy;
  const directives = given?.directives ?? {};
  const names = Object.keys(directives).map((name) => name.replace("-", "").toLowerCase());
  return {
    ...given,
    directives: {
      ...directives,
      ...(!names.includes("reporturi") && { reportUri: [address] }),
      ...(!names.includes("reportto") && { reportTo: ["csp"] }),
    },
  };
}
