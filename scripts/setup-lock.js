// @ts-check
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const POLL_MS = 100;

/**
 * Runs `task` while holding the lock `file`, so that two commands started at once install and
 * build one after the other. Blocks until the holder is done; a lock left by a process that no
 * longer runs is taken over.
 *
 * @template T
 * @param {string} file
 * @param {(holder: number) => void} onWait called once when another process holds the lock
 * @param {() => T} task
 * @returns {T}
 */
export function withLock(file, onWait, task) {
  mkdirSync(dirname(file), { recursive: true });
  const claim = `${file}.${process.pid}`;
  writeFileSync(claim, String(process.pid));
  try {
    let waiting = false;
    while (!acquire(claim, file)) {
      const holder = readHolder(file);
      if (holder === undefined) continue;
      if (!isRunning(holder)) {
        discard(file, holder);
        continue;
      }
      if (!waiting) onWait(holder);
      waiting = true;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS);
    }
  } finally {
    rmSync(claim, { force: true });
  }
  try {
    return task();
  } finally {
    rmSync(file, { force: true });
  }
}

/**
 * A hard link either appears with the process id in it or fails: creating and then writing the
 * file would let others read it empty.
 *
 * @param {string} claim
 * @param {string} file
 */
function acquire(claim, file) {
  try {
    linkSync(claim, file);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

/** @param {string} file */
function readHolder(file) {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/**
 * Moves the stale lock away before deleting it: of two waiters only one can move it, and when the
 * lock changed hands in between, it is put back.
 *
 * @param {string} file
 * @param {number} holder
 */
function discard(file, holder) {
  const moved = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, moved);
    if (readHolder(moved) !== holder) acquire(moved, file);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  } finally {
    rmSync(moved, { force: true });
  }
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function hasCode(error, code) {
  return error instanceof Error && "code" in error && error.code === code;
}
