import { optionRecord } from "../option-checks.ts";
import { integerOption } from "./option-values.ts";
import { DEFAULT_MAX_ENTRIES, type ReportStoreOptions } from "./report-store.ts";

const KNOWN_OPTIONS = { maxEntries: true } satisfies Record<keyof ReportStoreOptions, true>;

export function parseStoreOptions(options: ReportStoreOptions): Required<ReportStoreOptions> {
  const given = optionRecord("report store options", options, KNOWN_OPTIONS);
  const maxEntries = given.get("maxEntries") ?? DEFAULT_MAX_ENTRIES;
  return { maxEntries: integerOption("maxEntries", maxEntries, { min: 10, max: 100_000 }) };
}
