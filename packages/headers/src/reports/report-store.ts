import type { ReportEntry } from "./violation.ts";

/**
 * Where folded reports are kept. Several collectors may share a store.
 *
 * A store holds a bounded number of entries. What one client alone reported gives way first, the
 * least recent of it first, so that a flood by one client does not push out what others saw.
 */
export interface ReportStore {
  /**
   * Folds entries into those there: all of them or, when it fails, some. May throw or reject with a
   * HeadersError ERR_HEADERS_REPORT_STORE; nothing that was there before is lost then.
   */
  add(entries: readonly ReportEntry[]): void | Promise<void>;
  /** Returns all entries, the most recently reported first. */
  entries(): readonly ReportEntry[] | Promise<readonly ReportEntry[]>;
  /** Lets go of files and waits for what is being written. */
  close(): void | Promise<void>;
}

/** Bounds of a store. */
export interface ReportStoreOptions {
  /**
   * Entries that are kept, 10 to 100,000. One takes about 1 KB.
   *
   * @default 2000
   */
  readonly maxEntries?: number;
}

export const DEFAULT_MAX_ENTRIES = 2000;
