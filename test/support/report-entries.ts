import type { ReportEntry } from "@hauberk/headers/reports";

/** Noon of the day that tests about reports take place. */
export const NOON: number = Date.UTC(2026, 10, 22, 12);

/** Returns an entry of one report, of an image from elsewhere unless said otherwise. */
export function reportEntry(changes: Partial<ReportEntry> = {}): ReportEntry {
  return {
    kind: "csp",
    page: "https://site.example/",
    directive: "img-src",
    blocked: "https://cdn.example/logo.png",
    disposition: "enforce",
    sample: "",
    source: "",
    count: 1,
    firstAt: NOON,
    lastAt: NOON,
    days: { "2026-11-22": 1 },
    reporters: ["client-1"],
    ...changes,
  };
}
