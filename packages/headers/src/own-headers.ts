import { isolationValue } from "./cross-origin-policies.ts";
import type { HeaderSettings } from "./header-settings.ts";

const REPORTING_HEADERS = {
  "document-policy": "documentPolicy",
  "document-policy-report-only": "documentPolicyReportOnly",
  "integrity-policy": "integrityPolicy",
  "integrity-policy-report-only": "integrityPolicyReportOnly",
  "permissions-policy": "permissionsPolicy",
  "permissions-policy-report-only": "permissionsPolicyReportOnly",
  "reporting-endpoints": "reportingEndpoints",
} as const;

const ISOLATION_HEADERS = {
  "cross-origin-embedder-policy": "crossOriginEmbedderPolicy",
  "cross-origin-embedder-policy-report-only": "crossOriginEmbedderPolicyReportOnly",
  "cross-origin-opener-policy": "crossOriginOpenerPolicy",
  "cross-origin-opener-policy-report-only": "crossOriginOpenerPolicyReportOnly",
} as const;

/** Returns the headers that helmet does not write, or writes without its parameters, by lower-case name. */
export function ownHeaders(settings: HeaderSettings): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [name, option] of Object.entries(ISOLATION_HEADERS)) {
    const isolation = settings[option];
    if (isolation !== false) values.set(name, isolationValue(isolation));
  }
  for (const [name, option] of Object.entries(REPORTING_HEADERS)) {
    const value = settings[option]?.value;
    if (value !== undefined) values.set(name, value);
  }
  return values;
}
