import { entryId, mergeEntries } from "./report-entry.ts";
import type { ReportStore, ReportStoreOptions } from "./report-store.ts";
import { parseStoreOptions } from "./store-options.ts";
import type { ReportEntry } from "./violation.ts";

/** A store in this process's memory; both methods are synchronous. */
export interface MemoryReportStore extends ReportStore {
  add(entries: readonly ReportEntry[]): void;
  entries(): readonly ReportEntry[];
  close(): void;
}

/**
 * Returns a store in memory, forgotten with the process.
 *
 * @throws {TypeError | RangeError} If an option is unknown or out of range.
 */
export function memoryReportStore(options: ReportStoreOptions = {}): MemoryReportStore {
  const { maxEntries } = parseStoreOptions(options);
  // Both in the order of the last report.
  const confirmed = new Map<string, ReportEntry>();
  const unconfirmed = new Map<string, ReportEntry>();

  function add(entry: ReportEntry): void {
    const id = entryId(entry);
    const known = confirmed.get(id) ?? unconfirmed.get(id);
    const merged = known === undefined ? entry : mergeEntries(known, entry);
    confirmed.delete(id);
    unconfirmed.delete(id);
    (merged.reporters.length > 1 ? confirmed : unconfirmed).set(id, merged);
    if (confirmed.size + unconfirmed.size > maxEntries) {
      dropOldest(unconfirmed.size > 1 ? unconfirmed : confirmed);
    }
  }

  return {
    add(entries) {
      for (const entry of entries) add(entry);
    },
    entries: () =>
      [...confirmed.values(), ...unconfirmed.values()].toSorted((a, b) => b.lastAt - a.lastAt),
    close: () => undefined,
  };
}

function dropOldest(entries: Map<string, ReportEntry>): void {
  const [oldest] = entries.keys();
  if (oldest !== undefined) entries.delete(oldest);
}
