import { echo, optionRecord, suggestion } from "./option-checks.ts";
import { isKey, stringItem } from "./structured-field.ts";

/**
 * Where browsers send reports: addresses by the names that `report-to`, `reportTo` and `endpoints`
 * use, each `https://...` or a path of the same origin. What names no endpoint goes to `default`.
 */
export type ReportingEndpointsOptions = Readonly<Record<string, string>>;

/** A header's value and the reporting endpoints it names. */
export interface ReportingValue {
  readonly value: string;
  readonly endpoints: readonly string[];
}

/** Visible ASCII without what a URL encodes. */
const ADDRESS = /^(?:https:\/\/[^\s"<>\\^`{|}]+|\/(?!\/)[^\s"<>\\^`{|}]*)$/;

function endpointAddress(path: string, address: unknown): string {
  if (
    typeof address === "string" &&
    /^[\x21-\x7e]+$/.test(address) &&
    ADDRESS.test(address) &&
    URL.canParse(address, "https://localhost")
  ) {
    return address;
  }
  const hint =
    typeof address === "string" && address.startsWith("http://")
      ? "browsers ignore an endpoint without TLS; write https://"
      : "write an https address, or a path such as /.well-known/reports";
  throw new TypeError(`${path} refuses ${echo(address)}: ${hint}`);
}

/** Returns `name` if it can name an endpoint; throws a TypeError naming `path` otherwise. */
export function endpointName(path: string, name: unknown): string {
  if (typeof name === "string" && isKey(name)) return name;
  throw new TypeError(
    `${path} must be the name of a reporting endpoint, in lower case, got ${echo(name)}`,
  );
}

/**
 * Returns the header's value, a structured-field dictionary of strings, or undefined when the
 * header is switched off or names no endpoint.
 *
 * @see Reporting API section 3.2
 */
export function parseReportingEndpoints(path: string, option: unknown): ReportingValue | undefined {
  if (option === undefined || option === false) return undefined;
  const given = [...optionRecord(path, option)];
  const members = given.map(([name, address]) => {
    const key = endpointName(`the key of ${path}`, name);
    return `${key}=${stringItem(endpointAddress(`${path}.${key}`, address))}`;
  });
  return members.length === 0
    ? undefined
    : { value: members.join(", "), endpoints: given.map(([name]) => name) };
}

/**
 * Refuses a header that reports to an endpoint which Reporting-Endpoints does not define: its reports
 * would be dropped. Without Reporting-Endpoints nothing is refused, another layer may send it.
 *
 * @throws {TypeError} Naming the header's option and the nearest endpoint.
 */
export function checkEndpoints(
  defined: readonly string[] | undefined,
  named: ReadonlyMap<string, readonly string[]>,
): void {
  if (defined === undefined) return;
  for (const [path, endpoints] of named) {
    const unknown = endpoints.find((name) => !defined.includes(name));
    if (unknown !== undefined) {
      throw new TypeError(
        `${path} reports to ${echo(unknown)}, which reportingEndpoints does not define${suggestion(unknown, defined)}`,
      );
    }
  }
}
