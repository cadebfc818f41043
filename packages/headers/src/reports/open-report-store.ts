import { existsSync } from "node:fs";
import { openJsonLinesReportStore } from "./json-lines-report-store.ts";
import type { ReportStore, ReportStoreOptions } from "./report-store.ts";
import { hasSqlite, openSqliteReportStore } from "./sqlite-report-store.ts";

const LINES_ENDING = ".jsonl";
const SQLITE_ENDINGS = [".sqlite", ".sqlite3", ".db"];

/**
 * Opens a store in a file. The ending decides: `.jsonl` for JSON lines, `.sqlite`, `.sqlite3` or
 * `.db` for SQLite. A path without one of these gets `.sqlite` where Node.js has node:sqlite (22.13
 * or newer), else `.jsonl`; a file that is there already wins.
 *
 * @throws {TypeError | RangeError} If an option is unknown or out of range.
 * @throws {HeadersError} ERR_HEADERS_SQLITE_UNAVAILABLE, ERR_HEADERS_REPORT_STORE.
 */
export async function openReportStore(
  path: string,
  options: ReportStoreOptions = {},
): Promise<ReportStore> {
  const file = reportFile(path);
  return file.endsWith(LINES_ENDING)
    ? openJsonLinesReportStore(file, options)
    : openSqliteReportStore(file, options);
}

function reportFile(path: string): string {
  if ([LINES_ENDING, ...SQLITE_ENDINGS].some((ending) => path.endsWith(ending))) return path;
  const [lines, sqlite] = [path + LINES_ENDING, `${path}.sqlite`];
  if (existsSync(sqlite) || (hasSqlite() && !existsSync(lines))) return sqlite;
  return lines;
}
