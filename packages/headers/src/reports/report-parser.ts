import { isDirectiveName } from "../csp-directives.ts";
import { isExtensionAddress, reportedAddress } from "./reported-address.ts";
import type { ReportKind, Violation } from "./violation.ts";

/** Why a report was left out: not a violation, malformed, by an extension, beyond the limit, of another site. */
export type DropReason = "other-type" | "malformed" | "extension" | "excess" | "foreign-page";

/** Reports of one body, sorted. */
export interface ParsedReports {
  readonly violations: readonly Violation[];
  readonly dropped: Readonly<Record<DropReason, number>>;
}

type Fields = Readonly<Record<string, unknown>>;
type Draft = Omit<Violation, "page">;

const MAX_SAMPLE_CHARACTERS = 40;
const FEATURE = /^[a-z][a-z0-9-]{0,63}$/;
/** Invisible, or able to turn the text around them: nothing that is read or copied may hold them. */
const DECEPTIVE =
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/**
 * Returns what the reports of a body say, in either format: `{"csp-report": {...}}`, or reports of the
 * Reporting API, one or a list. Only the first `maxReports` are read; pages of other origins than
 * `isOwnPage` knows are dropped, and what extensions caused.
 *
 * @see CSP Level 3 section 5.5, Reporting API section 3.1
 */
export function parseReports(
  body: unknown,
  { maxReports, isOwnPage }: { maxReports: number; isOwnPage: (origin: string) => boolean },
): ParsedReports {
  const reports: readonly unknown[] = Array.isArray(body) ? body : [body];
  const dropped = { "other-type": 0, malformed: 0, extension: 0, excess: 0, "foreign-page": 0 };
  dropped.excess = Math.max(reports.length - maxReports, 0);
  const violations = reports.slice(0, maxReports).flatMap((report) => {
    const outcome = parseReport(report, isOwnPage);
    if (typeof outcome !== "string") return [outcome];
    dropped[outcome] += 1;
    return [];
  });
  return { violations, dropped };
}

function parseReport(
  report: unknown,
  isOwnPage: (origin: string) => boolean,
): Violation | DropReason {
  if (!isFields(report)) return "malformed";
  const legacy = report["csp-report"];
  if (isFields(legacy)) return complete(legacyReport(legacy), legacy["document-uri"], isOwnPage);
  const { type, body } = report;
  if (typeof type !== "string" || !isFields(body)) return "malformed";
  const read = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
  if (read === undefined) return "other-type";
  return complete(read(body), body["documentURL"] ?? report["url"], isOwnPage);
}

function complete(
  draft: Draft | DropReason,
  pageAddress: unknown,
  isOwnPage: (origin: string) => boolean,
): Violation | DropReason {
  if (typeof draft === "string") return draft;
  const page = reportedAddress(pageAddress);
  if (page === undefined) return "malformed";
  if (!URL.canParse(page) || !isOwnPage(new URL(page).origin)) return "foreign-page";
  return { ...draft, page };
}

function legacyReport(fields: Fields): Draft | DropReason {
  const violated = text(fields["violated-directive"]).split(" ", 1)[0];
  return draftOf({
    kind: "csp",
    directive: text(fields["effective-directive"]) || violated,
    blocked: fields["blocked-uri"],
    isReportOnly: fields["disposition"] === "report",
    sample: fields["script-sample"],
    file: fields["source-file"],
    line: fields["line-number"],
    column: fields["column-number"],
  });
}

const READERS: Readonly<Record<string, (body: Fields) => Draft | DropReason>> = {
  "csp-violation": (body) =>
    draftOf({
      ...commonOf(body, "csp", body["effectiveDirective"]),
      blocked: body["blockedURL"],
      sample: body["sample"],
    }),
  "integrity-violation": (body) =>
    draftOf({
      ...commonOf(body, "integrity", body["destination"] ?? "script"),
      blocked: body["blockedURL"],
      isReportOnly: body["reportOnly"] === true,
    }),
  coep: (body) =>
    draftOf({
      ...commonOf(body, "coep", body["destination"] || body["type"] || "resource"),
      blocked: body["blockedURL"] ?? body["blocked-url"],
    }),
  coop: (body) => draftOf(commonOf(body, "coop", body["type"] || "opener")),
  "permissions-policy-violation": (body) =>
    draftOf(commonOf(body, "permissions", body["featureId"] ?? body["policyId"])),
  "document-policy-violation": (body) =>
    draftOf(commonOf(body, "document", body["policyId"] ?? body["featureId"])),
};

interface RawDraft {
  readonly kind: ReportKind;
  readonly directive: unknown;
  readonly blocked?: unknown;
  readonly isReportOnly: boolean;
  readonly sample?: unknown;
  readonly file: unknown;
  readonly line: unknown;
  readonly column: unknown;
}

function commonOf(body: Fields, kind: ReportKind, directive: unknown): RawDraft {
  const { disposition } = body;
  return {
    kind,
    directive,
    // COEP and COOP say "reporting" where CSP says "report".
    isReportOnly: disposition === "report" || disposition === "reporting",
    file: body["sourceFile"],
    line: body["lineNumber"],
    column: body["columnNumber"],
  };
}

function draftOf(raw: RawDraft): Draft | DropReason {
  const directive = text(raw.directive);
  const isKnown = raw.kind === "csp" ? isDirectiveName(directive) : FEATURE.test(directive);
  if (!isKnown) return "malformed";
  const said = text(raw.blocked);
  if (isExtensionAddress(said) || isExtensionAddress(raw.file)) return "extension";
  const blocked = said === "" ? "" : reportedAddress(said);
  if (blocked === undefined) return "malformed";
  return {
    kind: raw.kind,
    directive,
    blocked,
    disposition: raw.isReportOnly ? "report" : "enforce",
    sample: text(raw.sample).replace(DECEPTIVE, " ").slice(0, MAX_SAMPLE_CHARACTERS).trim(),
    source: sourceOf(raw),
  };
}

function sourceOf({ file, line, column }: RawDraft): string {
  const address = reportedAddress(file) ?? "";
  if (address === "" || !isPosition(line)) return address;
  return isPosition(column) ? `${address}:${line}:${column}` : `${address}:${line}`;
}

function isPosition(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0 && Number(value) < 1e9;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
