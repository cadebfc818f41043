import { echo, oneOf, optionRecord } from "./option-checks.ts";
import { endpointName, type ReportingValue } from "./reporting-endpoints.ts";
import { innerList } from "./structured-field.ts";

const DESTINATIONS = ["script", "style"] as const;

/** What a page fetches that can be held to integrity. */
export type IntegrityDestination = (typeof DESTINATIONS)[number];

/** Options of the Integrity-Policy header. */
export interface IntegrityPolicyOptions {
  /**
   * What is blocked when its element has no `integrity`, modules that another imports included.
   * Browsers by default know `"script"`.
   *
   * @default ["script"]
   * @see Subresource Integrity section 3.8
   */
  readonly blockedDestinations?: readonly IntegrityDestination[];
  /** Names of reporting endpoints that learn of each violation. */
  readonly endpoints?: readonly string[];
}

const KNOWN_OPTIONS = {
  blockedDestinations: true,
  endpoints: true,
} satisfies Record<keyof IntegrityPolicyOptions, true>;

function list(path: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(`${path} must be an array, got ${echo(value)}`);
}

/** Returns the value of Integrity-Policy or its report-only form, or undefined when it is not sent. */
export function parseIntegrityPolicy(path: string, option: unknown): ReportingValue | undefined {
  if (option === undefined || option === false) return undefined;
  const given = optionRecord(path, option === true ? {} : option, KNOWN_OPTIONS);
  const destinations = list(
    `${path}.blockedDestinations`,
    given.get("blockedDestinations") ?? ["script"],
  ).map((destination) => oneOf(`${path}.blockedDestinations`, destination, DESTINATIONS));
  if (destinations.length === 0) {
    throw new TypeError(`${path}.blockedDestinations blocks nothing; write false to switch it off`);
  }
  const endpoints = list(`${path}.endpoints`, given.get("endpoints") ?? []).map((name) =>
    endpointName(`${path}.endpoints`, name),
  );
  const members = [`blocked-destinations=${innerList(destinations)}`];
  if (endpoints.length > 0) members.push(`endpoints=${innerList(endpoints)}`);
  return { value: members.join(", "), endpoints };
}
