import { memoryReportStore, type ReportEntry, type ReportStore } from "@hauberk/headers/reports";

/** A store in memory that can be waited for. */
export interface WatchedStore extends ReportStore {
  entries(): readonly ReportEntry[];
  /** Resolves once an entry satisfies `condition`. */
  waitFor(condition: (entry: ReportEntry) => boolean): Promise<ReportEntry>;
}

export function watchedStore(): WatchedStore {
  const memory = memoryReportStore();
  const watchers = new Set<() => void>();
  return {
    ...memory,
    add(entries) {
      memory.add(entries);
      for (const look of watchers) look();
    },
    waitFor: (condition) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = memory.entries().find(condition);
          if (found === undefined) return;
          watchers.delete(look);
          resolve(found);
        };
        watchers.add(look);
        look();
      }),
  };
}
