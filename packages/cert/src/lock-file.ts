import { randomBytes } from "node:crypto";
import { link, rename, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CertError } from "./errors.ts";
import {
  hasCode,
  NO_LINKS,
  PRIVATE_FILE_MODE,
  readFileIfPresent,
  removeFile,
  removeLeftovers,
  storageError,
  temporaryPath,
} from "./file-storage.ts";
import { quote } from "./quote.ts";

/** Longest any holder works: one RSA-4096 key and a few small files take seconds at worst. */
const STALE_MS = 60_000;
const POLL_MS = 15;

/** How long to wait for a lock, and what ends the wait early. */
export interface LockOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
}

/**
 * Runs `task` while holding the lock file at `path`, whose folder must exist.
 * The lock of a process that died is taken over at once, any other after 60 seconds.
 *
 * Advisory: it saves double work. What it guards must stay whole without it, because a holder that was
 * suspended for a minute goes on when it wakes up.
 *
 * @throws {CertError} ERR_CERT_LOCKED when another process holds it for `timeoutMs`
 * @throws {CertError} ERR_CERT_STORAGE when the file cannot be written
 * @throws the reason of `signal` when that aborts the wait
 */
export async function withLock<T>(
  path: string,
  { timeoutMs, signal }: LockOptions,
  task: () => Promise<T>,
): Promise<T> {
  const content = JSON.stringify({
    pid: process.pid,
    host: hostname(),
    token: randomBytes(8).toString("hex"),
  });
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const held = await readFileIfPresent(path);
    if (held === undefined && (await tryAcquire(path, content))) break;
    if (held !== undefined && (await removeStale(path, held))) continue;
    if (performance.now() >= deadline) throw lockedError(path, held);
    await delay(POLL_MS * (0.5 + Math.random()), undefined, { signal }).catch(() => {
      signal?.throwIfAborted();
    });
  }
  try {
    await removeLeftovers(dirname(path), basename(path));
    return await task();
  } finally {
    if ((await readFileIfPresent(path)) === content) await removeFile(path);
  }
}

/** A hard link appears together with its content: a process killed here leaves no nameless lock. */
async function tryAcquire(path: string, content: string): Promise<boolean> {
  const own = temporaryPath(path);
  try {
    await writeFile(own, content, { flag: "wx", mode: PRIVATE_FILE_MODE });
    return await linkOrCreate(own, path, content);
  } catch (cause) {
    throw storageError("lock", path, cause);
  } finally {
    await removeFile(own);
  }
}

async function linkOrCreate(own: string, path: string, content: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    // ENOENT: whoever got the lock took our file for a leftover.
    if (hasCode(error, "EEXIST", "ENOENT")) return false;
    if (!hasCode(error, ...NO_LINKS)) throw error;
  }
  try {
    await writeFile(path, content, { flag: "wx", mode: PRIVATE_FILE_MODE });
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

/** Returns true when the way is free to try again. */
async function removeStale(path: string, content: string): Promise<boolean> {
  if (!(await isStale(path, content))) return false;
  const grave = temporaryPath(path);
  try {
    await rename(path, grave);
    const buried = await readFileIfPresent(grave);
    // Between reading and renaming another process may have done the same and locked anew: give back.
    if (buried !== undefined && buried !== content) await link(grave, path);
  } catch (cause) {
    if (!hasCode(cause, "ENOENT", "EEXIST")) throw storageError("unlock", path, cause);
  } finally {
    await removeFile(grave);
  }
  return true;
}

async function isStale(path: string, content: string): Promise<boolean> {
  const holder = parseHolder(content);
  if (holder?.host === hostname() && !isRunning(holder.pid)) return true;
  try {
    return Date.now() - (await stat(path)).mtimeMs > STALE_MS;
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return false;
    throw storageError("read", path, cause);
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !hasCode(error, "ESRCH");
  }
}

function parseHolder(content: string): Holder | undefined {
  const match = /^\{"pid":(\d{1,10}),"host":("(?:[^"\\]|\\.)*"),/.exec(content);
  const [, pid, host] = match ?? [];
  if (pid === undefined || host === undefined) return undefined;
  return { pid: Number(pid), host: String(JSON.parse(host)) };
}

function lockedError(path: string, content: string | undefined): CertError {
  const holder = content === undefined ? undefined : parseHolder(content);
  const by = holder === undefined ? "another process" : `process ${holder.pid} on ${holder.host}`;
  return new CertError(
    "ERR_CERT_LOCKED",
    `Cannot lock ${quote(path)}: ${by} holds it; if that has ended, remove the file`,
  );
}
