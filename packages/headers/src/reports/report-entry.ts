import { createHash } from "node:crypto";
import type { ReportEntry, Violation } from "./violation.ts";

export const MAX_DAYS = 30;
export const MAX_REPORTERS = 16;

/** Returns the entry of one report. `reporter` stands for the client, without naming it. */
export function entryOf(violation: Violation, at: number, reporter: string): ReportEntry {
  const { kind, page, directive, blocked, disposition, sample, source } = violation;
  const known = { kind, page, directive, blocked, disposition, sample, source };
  const day = new Date(at).toISOString().slice(0, 10);
  return {
    ...known,
    count: 1,
    firstAt: at,
    lastAt: at,
    days: { [day]: 1 },
    reporters: [reporter],
  };
}

/** Returns what entries that are to be folded have in common. */
export function entryId({
  kind,
  page,
  directive,
  blocked,
  disposition,
  sample,
}: Violation): string {
  const identity = JSON.stringify([kind, page, directive, blocked, disposition, sample]);
  return createHash("sha256").update(identity).digest("base64url").slice(0, 22);
}

/** Returns two entries of one identity as one. */
export function mergeEntries(earlier: ReportEntry, later: ReportEntry): ReportEntry {
  const days = new Map(Object.entries(earlier.days));
  for (const [day, count] of Object.entries(later.days)) {
    days.set(day, (days.get(day) ?? 0) + count);
  }
  const newest = earlier.lastAt > later.lastAt ? earlier : later;
  return {
    ...newest,
    count: earlier.count + later.count,
    firstAt: Math.min(earlier.firstAt, later.firstAt),
    days: Object.fromEntries([...days].toSorted(byName).slice(-MAX_DAYS)),
    reporters: [...new Set([...earlier.reporters, ...later.reporters])].slice(0, MAX_REPORTERS),
  };
}

/** Returns entries folded, in the order in which each identity came first. */
export function foldEntries(entries: Iterable<ReportEntry>): ReadonlyMap<string, ReportEntry> {
  const folded = new Map<string, ReportEntry>();
  for (const entry of entries) {
    const id = entryId(entry);
    const known = folded.get(id);
    folded.set(id, known === undefined ? entry : mergeEntries(known, entry));
  }
  return folded;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
