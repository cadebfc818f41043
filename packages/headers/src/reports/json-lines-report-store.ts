import { createReadStream } from "node:fs";
import { open, rename, unlink, type FileHandle } from "node:fs/promises";
import { createInterface } from "node:readline";
import { HeadersError } from "../errors.ts";
import { memoryReportStore } from "./memory-report-store.ts";
import { foldEntries } from "./report-entry.ts";
import type { ReportStore, ReportStoreOptions } from "./report-store.ts";
import { parseStoreOptions } from "./store-options.ts";
import { parseStoredEntry } from "./stored-entry.ts";
import type { ReportEntry } from "./violation.ts";

const FILE_MODE = 0o600;
const MIN_REWRITE_BYTES = 1_048_576;
/** What an entry takes as a line, with much room: the file is written anew when it is twice as long. */
const BYTES_PER_ENTRY = 4096;

/**
 * Opens a store in a file with one JSON object per line: what is there is read, what is added is
 * appended, and the file is written anew, by way of a second one, once it has become much longer than
 * its entries need. Lines that are damaged are skipped. One process at a time may write a file.
 *
 * @throws {TypeError | RangeError} If an option is unknown or out of range.
 * @throws {HeadersError} ERR_HEADERS_REPORT_STORE when the file cannot be read or made.
 */
export async function openJsonLinesReportStore(
  file: string,
  options: ReportStoreOptions = {},
): Promise<ReportStore> {
  const { maxEntries } = parseStoreOptions(options);
  const memory = memoryReportStore({ maxEntries });
  const rewriteBytes = Math.max(MIN_REWRITE_BYTES, maxEntries * BYTES_PER_ENTRY);
  let handle = await guarded(file, () => open(file, "a+", FILE_MODE));
  let { size } = await guarded(file, () => handle.stat());
  memory.add(await guarded(file, () => readEntries(file)));
  let queue: Promise<unknown> = Promise.resolve();
  // A line that a crash cut off must not swallow the next one.
  if (size > 0) size += await guarded(file, () => write(handle, "\n"));

  async function append(entries: readonly ReportEntry[]): Promise<void> {
    size += await write(handle, toLines(entries));
    if (size > rewriteBytes) await rewrite();
  }

  async function rewrite(): Promise<void> {
    const temporary = `${file}.new`;
    const replacement = await open(temporary, "w", FILE_MODE);
    try {
      size = await write(replacement, toLines(memory.entries().toReversed()));
      await replacement.sync();
      await rename(temporary, file);
    } catch (error) {
      await replacement.close();
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
    await handle.close();
    handle = replacement;
  }

  return {
    async add(entries) {
      const folded = [...foldEntries(entries).values()];
      memory.add(folded);
      const written = queue.then(() => append(folded));
      queue = written.catch(() => undefined);
      await guarded(file, () => written);
    },
    entries: () => memory.entries(),
    async close() {
      await queue;
      await guarded(file, () => handle.close());
    },
  };
}

function toLines(entries: readonly ReportEntry[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
}

async function write(handle: FileHandle, text: string): Promise<number> {
  const bytes = Buffer.from(text);
  await handle.appendFile(bytes);
  return bytes.length;
}

/**
 * Reads the entries of a file with one JSON object per line; damaged lines are skipped.
 *
 * @throws {Error} The file cannot be read.
 */
export async function readEntries(file: string): Promise<ReportEntry[]> {
  const entries: ReportEntry[] = [];
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  for await (const line of lines) {
    const entry = parseStoredEntry(line);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

async function guarded<T>(file: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HeadersError(
      "ERR_HEADERS_REPORT_STORE",
      `Cannot keep reports in ${JSON.stringify(file)}: ${reason}`,
      { cause },
    );
  }
}
