import { randomBytes } from "node:crypto";
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { CertError } from "./errors.ts";
import {
  hasCode,
  PRIVATE_FILE_MODE,
  readFileIfPresent,
  removeFile,
  storageError,
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
  while (!(await tryAcquire(path, content))) {
    signal?.throwIfAborted();
    if (await removeStale(path)) continue;
    if (performance.now() >= deadline) throw lockedError(path, await readFileIfPresent(path));
    await delay(POLL_MS * (0.5 + Math.random()), undefined, { signal });
  }
  try {
    signal?.throwIfAborted();
    return await task();
  } finally {
    await release(path, content);
  }
}

/** Not by hard link, which would show the holder from the first moment: exFAT and many mounts have none. */
async function tryAcquire(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: "wx", mode: PRIVATE_FILE_MODE });
    return true;
  } catch (cause) {
    if (hasCode(cause, "EEXIST")) return false;
    throw storageError("lock", path, cause);
  }
}

/** Returns true when the way is free to try again. */
async function removeStale(path: string): Promise<boolean> {
  const content = await readFileIfPresent(path);
  if (content === undefined) return true;
  if (!(await isStale(path, content))) return false;
  const grave = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    await rename(path, grave);
    const buried = await readFileIfPresent(grave);
    // Between reading and renaming another process may have done the same and locked anew: give back.
    if (buried !== undefined && buried !== content) await writeFile(path, buried, { flag: "wx" });
  } catch (cause) {
    if (!hasCode(cause, "ENOENT", "EEXIST")) throw storageError("unlock", path, cause);
  } finally {
    await rm(grave, { force: true });
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

async function release(path: string, content: string): Promise<void> {
  if ((await readFileIfPresent(path)) === content) await removeFile(path);
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
