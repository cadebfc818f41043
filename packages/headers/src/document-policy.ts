import { booleanOption, echo, optionRecord, suggestion } from "./option-checks.ts";
import { endpointName, type ReportingValue } from "./reporting-endpoints.ts";

/** What Chromium 156 knows, the only browser that reads the header. */
const FEATURES = [
  "expect-no-linked-resources",
  "force-load-at-top",
  "include-js-call-stacks-in-crash-reports",
  "js-profiling",
  "network-efficiency-guardrails",
] as const;

/** A switch of Document-Policy. */
export type DocumentPolicyFeature = (typeof FEATURES)[number];

/**
 * Switches of Document-Policy. `"force-load-at-top"` keeps other sites from learning, by scrolling to
 * a text, whether the page contains it.
 *
 * @see https://wicg.github.io/document-policy/
 */
export type DocumentPolicyOptions = {
  readonly [Feature in DocumentPolicyFeature]?: boolean;
} & {
  /** Name of the reporting endpoint that learns of each violation. */
  readonly reportTo?: string;
};

function member(path: string, feature: string, value: unknown): string {
  if (!FEATURES.some((known) => known === feature)) {
    throw new TypeError(
      `${path} knows no feature ${echo(feature)}${suggestion(feature, FEATURES)}`,
    );
  }
  return booleanOption(`${path}.${feature}`, value) ? feature : `${feature}=?0`;
}

/** Returns the value of Document-Policy or its report-only form, or undefined when it is not sent. */
export function parseDocumentPolicy(path: string, option: unknown): ReportingValue | undefined {
  if (option === undefined || option === false) return undefined;
  const { reportTo, ...features } = Object.fromEntries(optionRecord(path, option));
  const members = Object.entries(features).map(([feature, value]) => member(path, feature, value));
  if (members.length === 0) return undefined;
  if (reportTo === undefined) return { value: members.join(", "), endpoints: [] };
  const endpoint = endpointName(`${path}.reportTo`, reportTo);
  return { value: [...members, `*;report-to=${endpoint}`].join(", "), endpoints: [endpoint] };
}
