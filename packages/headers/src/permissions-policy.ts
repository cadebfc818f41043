import { echo, optionRecord, suggestion } from "./option-checks.ts";
import { PERMISSIONS_POLICY_FEATURES } from "./permissions-policy-features.ts";
import { endpointName, type ReportingValue } from "./reporting-endpoints.ts";
import { innerList } from "./structured-field.ts";

/** A browser feature that Permissions-Policy switches, such as `"geolocation"`. */
export type PermissionsPolicyFeature = (typeof PERMISSIONS_POLICY_FEATURES)[number];

/** An allowlist whose violations one reporting endpoint learns of, rather than `default`. */
export interface ReportedAllowlist {
  readonly allow: readonly string[];
  /** Name of the reporting endpoint. */
  readonly reportTo: string;
}

/**
 * Allowlists by feature: `[]` for nobody, `["self"]` for the page's own origin, `["*"]` for all,
 * or origins such as `"https://maps.example"` and `"https://*.example.com"` beside `"self"`.
 */
export type PermissionsPolicyOptions = {
  readonly [Feature in PermissionsPolicyFeature]?: readonly string[] | ReportedAllowlist;
};

const FEATURES: ReadonlySet<string> = new Set(PERMISSIONS_POLICY_FEATURES);
const ORIGIN = /^https?:\/\/(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::\d{1,5})?$/;

function allowlistEntry(path: string, entry: unknown): string {
  if (entry === "self" || entry === "*") return entry;
  if (typeof entry === "string" && entry.length <= 300 && ORIGIN.test(entry)) return `"${entry}"`;
  const hint =
    entry === "'self'" || entry === "'none'"
      ? ": Permissions-Policy quotes no keyword; write self, or [] for nobody"
      : ": an entry is self, * or an origin in lower-case ASCII such as https://maps.example";
  throw new TypeError(`${path} refuses ${echo(entry)}${hint}`);
}

function allowlist(path: string, value: unknown): string {
  if (!Array.isArray(value)) {
    throw new TypeError(`${path} must be an array such as [] or ["self"], got ${echo(value)}`);
  }
  const entries = value.map((entry: unknown) => allowlistEntry(path, entry));
  if (!entries.includes("*")) return innerList(entries);
  if (entries.length > 1) throw new TypeError(`${path} must hold nothing else beside "*"`);
  return "*";
}

function featureValue(path: string, value: unknown): { value: string; endpoint?: string } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { value: allowlist(path, value) };
  }
  const given = optionRecord(path, value, { allow: true, reportTo: true });
  const list = allowlist(`${path}.allow`, given.get("allow"));
  const endpoint = endpointName(`${path}.reportTo`, given.get("reportTo"));
  return { value: `${list};report-to=${endpoint}`, endpoint };
}

/**
 * Returns the value of Permissions-Policy or its report-only form, a structured-field dictionary of
 * inner lists in alphabetical order, or undefined when the header is switched off or names no feature.
 *
 * @see RFC 9651 section 3.2
 */
export function parsePermissionsPolicy(
  path: string,
  option: unknown,
  preset: PermissionsPolicyOptions | false,
): ReportingValue | undefined {
  if (option === false) return undefined;
  const given = option === undefined || option === true ? {} : option;
  const lists = new Map([...Object.entries(preset || {}), ...optionRecord(path, given)]);
  const endpoints: string[] = [];
  const members = [...lists].map(([feature, list]) => {
    if (!FEATURES.has(feature)) {
      throw new TypeError(
        `${path} knows no feature ${echo(feature)}${suggestion(feature, FEATURES)}`,
      );
    }
    const { value, endpoint } = featureValue(`${path}.${feature}`, list);
    if (endpoint !== undefined) endpoints.push(endpoint);
    return `${feature}=${value}`;
  });
  return members.length === 0 ? undefined : { value: members.toSorted().join(", "), endpoints };
}
