import { constants, type BigIntStats } from "node:fs";
import { open, readlink, realpath, stat, type FileHandle } from "node:fs/promises";
import { sep } from "node:path";

/** A regular file inside the root, open for reading; the caller closes the handle. */
export interface ContainedFile {
  readonly kind: "file";
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
}

/** What a path below the root turned out to be. `busy`: the process or system is out of file descriptors. */
export type OpenOutcome =
  ContainedFile | { readonly kind: "folder" | "missing" | "forbidden" | "busy" };

const OUTCOME_OF_CODE: Readonly<Record<string, "missing" | "forbidden" | "busy">> = {
  ENOENT: "missing",
  ENOTDIR: "missing",
  ENAMETOOLONG: "missing",
  EINVAL: "missing",
  ELOOP: "forbidden",
  EACCES: "forbidden",
  EPERM: "forbidden",
  ENXIO: "forbidden",
  EMFILE: "busy",
  ENFILE: "busy",
};

/**
 * Opens `path` if it names a regular file inside `root` (a real path), links resolved.
 * The opened file itself is judged, not the path before opening it, so swapping a link in between gains nothing.
 * Devices, pipes and sockets, links that leave the root and unreadable files are forbidden.
 */
export async function openContained(root: string, path: string): Promise<OpenOutcome> {
  let handle: FileHandle;
  try {
    // O_NONBLOCK: opening a pipe nobody writes to would otherwise wait for ever in the thread pool.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return { kind: outcomeOf(error) };
  }
  try {
    const stats = await handle.stat({ bigint: true });
    const isInside = await isContained(root, path, handle, stats);
    if (isInside && stats.isFile()) return { kind: "file", handle, stats };
    await handle.close();
    return { kind: isInside && stats.isDirectory() ? "folder" : "forbidden" };
  } catch (error) {
    await handle.close();
    return { kind: outcomeOf(error) };
  }
}

async function isContained(
  root: string,
  path: string,
  handle: FileHandle,
  stats: BigIntStats,
): Promise<boolean> {
  if (process.platform === "linux") {
    return isBelow(root, await readlink(`/proc/self/fd/${handle.fd}`));
  }
  const target = await realpath(path);
  const targetStats = await stat(target, { bigint: true });
  return isBelow(root, target) && targetStats.ino === stats.ino && targetStats.dev === stats.dev;
}

function isBelow(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

function outcomeOf(error: unknown): "missing" | "forbidden" | "busy" {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const outcome = OUTCOME_OF_CODE[code];
  if (outcome === undefined) throw error;
  return outcome;
}
