import { isDirectiveName } from "../csp-directives.ts";
import { MAX_DAYS, MAX_REPORTERS } from "./report-entry.ts";
import type { ReportEntry, ReportKind } from "./violation.ts";

const KINDS: readonly ReportKind[] = [
  "csp",
  "integrity",
  "coep",
  "coop",
  "permissions",
  "document",
];
const TEXTS = ["page", "directive", "blocked", "sample", "source"] as const;
const NUMBERS = ["count", "firstAt", "lastAt"] as const;
const MAX_TEXT_CHARACTERS = 640;

/** Returns the entry that a file or another process kept as JSON, or undefined when it is none. */
export function parseStoredEntry(text: string): ReportEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return isEntry(value) ? value : undefined;
}

function isEntry(value: unknown): value is ReportEntry {
  if (typeof value !== "object" || value === null) return false;
  const entry: Readonly<Record<string, unknown>> = { ...value };
  return (
    KINDS.some((kind) => kind === entry["kind"]) &&
    (entry["disposition"] === "enforce" || entry["disposition"] === "report") &&
    TEXTS.every((name) => isText(entry[name])) &&
    NUMBERS.every((name) => isCount(entry[name])) &&
    (entry["kind"] !== "csp" || isDirectiveName(String(entry["directive"]))) &&
    areDays(entry["days"]) &&
    areReporters(entry["reporters"])
  );
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value.length <= MAX_TEXT_CHARACTERS;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function areDays(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const days = Object.entries(value);
  return (
    days.length <= MAX_DAYS &&
    days.every(([day, count]) => /^\d{4}-\d\d-\d\d$/.test(day) && isCount(count))
  );
}

function areReporters(value: unknown): boolean {
  return Array.isArray(value) && value.length <= MAX_REPORTERS && value.every(isText);
}
