import { open } from "node:fs/promises";
import { HeadersError } from "../errors.ts";
import { readEntries } from "./json-lines-report-store.ts";
import { foldEntries } from "./report-entry.ts";
import { readSqliteEntries } from "./sqlite-report-store.ts";
import type { ReportEntry } from "./violation.ts";

const SQLITE_MARK = "SQLite format 3\0";

/**
 * Returns the entries in a file of `openReportStore()`, SQLite or JSON lines by what it holds, the
 * most recently reported first. Changes nothing about it, also while a collector writes.
 *
 * @throws {HeadersError} ERR_HEADERS_REPORT_STORE when it cannot be read;
 * ERR_HEADERS_SQLITE_UNAVAILABLE when it is SQLite and this Node.js has none.
 */
export async function readReportEntries(file: string): Promise<readonly ReportEntry[]> {
  const entries = (await isSqlite(file)) ? readSqliteEntries(file) : await readEntries(file);
  return [...foldEntries(entries).values()].toSorted((a, b) => b.lastAt - a.lastAt);
}

async function isSqlite(file: string): Promise<boolean> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(SQLITE_MARK.length), 0);
      return buffer.toString("latin1", 0, bytesRead) === SQLITE_MARK;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HeadersError(
      "ERR_HEADERS_REPORT_STORE",
      `Cannot read reports from ${JSON.stringify(file)}: ${reason}`,
      { cause },
    );
  }
}
