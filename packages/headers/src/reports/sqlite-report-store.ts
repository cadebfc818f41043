import { closeSync, openSync } from "node:fs";
import { HeadersError } from "../errors.ts";
import { foldEntries, mergeEntries } from "./report-entry.ts";
import type { ReportStore, ReportStoreOptions } from "./report-store.ts";
import { parseStoreOptions } from "./store-options.ts";
import { parseStoredEntry } from "./stored-entry.ts";
import type { ReportEntry } from "./violation.ts";

/** The part of node:sqlite that is used; the oldest supported Node.js has no such module. */
interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface Statement {
  run(...values: (string | number)[]): unknown;
  get(...values: (string | number)[]): Readonly<Record<string, unknown>> | undefined;
  all(): readonly Readonly<Record<string, unknown>>[];
}

interface SqliteModule {
  readonly DatabaseSync: new (file: string, options?: { readonly readOnly: boolean }) => Database;
}

const FILE_MODE = 0o600;
const SCHEMA = `
  PRAGMA busy_timeout = 2000;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS report_entry (
    id TEXT PRIMARY KEY,
    entry TEXT NOT NULL,
    last_at INTEGER NOT NULL,
    is_confirmed INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS report_entry_age ON report_entry (is_confirmed, last_at);
`;

const SELECT_ALL = "SELECT entry FROM report_entry ORDER BY last_at DESC";

/** Whether this Node.js has node:sqlite: from 22.13 on. */
export function hasSqlite(): boolean {
  return sqliteModule() !== undefined;
}

function sqliteModule(): SqliteModule | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of the oldest Node.js lack it
  return process.getBuiltinModule("node:sqlite") as SqliteModule | undefined;
}

/**
 * Opens a store in an SQLite database, which several processes of one machine may share. Its methods
 * are synchronous: 100 reports take about a millisecond.
 *
 * @throws {TypeError | RangeError} If an option is unknown or out of range.
 * @throws {HeadersError} ERR_HEADERS_SQLITE_UNAVAILABLE when this Node.js has no node:sqlite;
 * ERR_HEADERS_REPORT_STORE when the file is no database, or cannot be opened.
 */
export function openSqliteReportStore(file: string, options: ReportStoreOptions = {}): ReportStore {
  const { maxEntries } = parseStoreOptions(options);
  const sqlite = requireSqlite(file);
  const database = guarded(file, () => openDatabase(sqlite, file));
  const select = database.prepare("SELECT entry FROM report_entry WHERE id = ?");
  const insert = database.prepare("INSERT OR REPLACE INTO report_entry VALUES (?, ?, ?, ?)");
  const count = database.prepare("SELECT count(*) AS total FROM report_entry");
  const selectAll = database.prepare(SELECT_ALL);
  const dropOldest = database.prepare(
    `DELETE FROM report_entry WHERE id IN
      (SELECT id FROM report_entry ORDER BY is_confirmed, last_at LIMIT ?)`,
  );

  function addFolded(folded: ReadonlyMap<string, ReportEntry>): void {
    const merged = [...folded].map(([id, entry]) => {
      const known = entryIn(select.get(id));
      return { id, entry: known === undefined ? entry : mergeEntries(known, entry), known };
    });
    const additions = merged.filter(({ known }) => known === undefined).length;
    const excess = Number(count.get()?.["total"]) + additions - maxEntries;
    if (excess > 0) dropOldest.run(excess);
    for (const { id, entry } of merged) {
      insert.run(id, JSON.stringify(entry), entry.lastAt, entry.reporters.length > 1 ? 1 : 0);
    }
  }

  return {
    add(entries) {
      const folded = foldEntries(entries);
      guarded(file, () => {
        database.exec("BEGIN IMMEDIATE");
        try {
          addFolded(folded);
          database.exec("COMMIT");
        } catch (error) {
          database.exec("ROLLBACK");
          throw error;
        }
      });
    },
    entries: () => guarded(file, () => selectAll.all().flatMap((row) => entryIn(row) ?? [])),
    close() {
      guarded(file, () => {
        database.close();
      });
    },
  };
}

/** Returns the entries of a database that is left as it is, the most recently reported first. */
export function readSqliteEntries(file: string): readonly ReportEntry[] {
  const { DatabaseSync } = requireSqlite(file);
  return guarded(file, () => {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return database
        .prepare(SELECT_ALL)
        .all()
        .flatMap((row) => entryIn(row) ?? []);
    } finally {
      database.close();
    }
  });
}

function requireSqlite(file: string): SqliteModule {
  const sqlite = sqliteModule();
  if (sqlite !== undefined) return sqlite;
  throw new HeadersError(
    "ERR_HEADERS_SQLITE_UNAVAILABLE",
    `Cannot open ${JSON.stringify(file)}: Node.js ${process.versions.node} has no node:sqlite; use 22.13 or newer, or a file that ends in .jsonl`,
  );
}

function openDatabase({ DatabaseSync }: SqliteModule, file: string): Database {
  // SQLite would make it readable for everyone; its side files take over the mode.
  closeSync(openSync(file, "a", FILE_MODE));
  const database = new DatabaseSync(file);
  database.exec(SCHEMA);
  return database;
}

function entryIn(row: Readonly<Record<string, unknown>> | undefined): ReportEntry | undefined {
  return row === undefined ? undefined : parseStoredEntry(String(row["entry"]));
}

function guarded<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HeadersError(
      "ERR_HEADERS_REPORT_STORE",
      `Cannot keep reports in ${JSON.stringify(file)}: ${reason}`,
      { cause },
    );
  }
}
