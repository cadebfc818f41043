import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { type FileHandle, stat } from "node:fs/promises";
import { type InlineHashes, inlineHashes } from "@hauberk/headers";
import { openContained } from "./contained-file.ts";
import { CODINGS, CODING_SUFFIX, type Coding } from "./content-encoding.ts";
import type { Validators } from "./conditional-request.ts";
import { mediaType } from "./media-type.ts";

/** One form of a resource: the file itself or a precompressed sibling. */
export interface Representation extends Validators {
  readonly path: string;
  readonly coding: Coding | "identity";
  readonly size: number;
  /** The whole content, when the file is small enough to be kept in memory. */
  readonly content: Buffer | undefined;
  readonly stamp: string;
}

/** A file below the root with its representations; the identity one always comes first. */
export interface Resource {
  readonly kind: "resource";
  readonly mediaType: string;
  readonly representations: readonly [Representation, ...Representation[]];
  readonly codings: readonly Coding[];
  /** Hashes of the page's inline scripts and styles; undefined when it is no HTML page. */
  readonly hashes: InlineHashes | undefined;
  /** False while the file is so new that a further write might not change its time stamp. */
  readonly isSettled: boolean;
}

export type ResourceOutcome =
  Resource | { readonly kind: "folder" | "missing" | "forbidden" | "busy" };

/** Reading a page costs about 0.1 s per MB; larger ones go without hashes, their inline scripts stay blocked. */
const MAX_HASHED_PAGE_BYTES = 1_048_576;

/** Longer than the coarsest time stamp of a common file system (FAT: 2 s). */
const SETTLING_MS = 2_500;

/** Returns what stands at `path` below `root`, its content read when it has at most `maxContentBytes`. */
export async function loadResource(
  root: string,
  path: string,
  maxContentBytes: number,
): Promise<ResourceOutcome> {
  const type = mediaType(path);
  const isPage = type.startsWith("text/html");
  const opened = await openContained(root, path);
  if (opened.kind !== "file") return { kind: opened.kind };
  const { handle, stats } = opened;
  try {
    const hasToRead = stats.size <= (isPage ? MAX_HASHED_PAGE_BYTES : maxContentBytes);
    const content = hasToRead ? await readAll(handle, Number(stats.size)) : undefined;
    const isKept = content !== undefined && content.length <= maxContentBytes;
    const identity = describe(path, "identity", stats, content, isKept);
    const siblings = await loadSiblings(root, path, stats, maxContentBytes);
    return {
      kind: "resource",
      mediaType: type,
      representations: [identity, ...siblings],
      codings: siblings.flatMap(({ coding }) => (coding === "identity" ? [] : [coding])),
      hashes: isPage && content !== undefined ? inlineHashes(content) : undefined,
      isSettled: Date.now() - Number(stats.ctimeMs) > SETTLING_MS && !hasGrown(content, stats),
    };
  } finally {
    await handle.close();
  }
}

/** Returns whether every file of `resource` is still as it was when loaded, and no sibling came or went. */
export async function isUnchanged(resource: Resource): Promise<boolean> {
  if (!resource.isSettled) return false;
  const [identity, ...siblings] = resource.representations;
  const expected = new Map(siblings.map(({ path, stamp }) => [path, stamp]));
  const paths = [identity.path, ...CODINGS.map((coding) => identity.path + CODING_SUFFIX[coding])];
  expected.set(identity.path, identity.stamp);
  const stamps = await Promise.all(paths.map(currentStamp));
  return paths.every((path, index) => {
    const stamp = stamps[index];
    return stamp === expected.get(path) || (stamp !== undefined && isStale(stamp, identity.stamp));
  });
}

/** Identifies one state of one file: a change of content, owner or name changes it. */
export function stampOf(stats: BigIntStats): string {
  return [stats.mtimeNs, stats.ctimeNs, stats.size, stats.ino, stats.dev].join("-");
}

async function loadSiblings(
  root: string,
  path: string,
  original: BigIntStats,
  maxContentBytes: number,
): Promise<Representation[]> {
  const siblings = await Promise.all(
    CODINGS.map(async (coding) => {
      const siblingPath = path + CODING_SUFFIX[coding];
      const opened = await openContained(root, siblingPath);
      if (opened.kind !== "file") return [];
      const { handle, stats } = opened;
      try {
        if (isStale(stampOf(stats), stampOf(original))) return [];
        const isKept = stats.size <= maxContentBytes;
        const content = isKept ? await readAll(handle, Number(stats.size)) : undefined;
        return [describe(siblingPath, coding, stats, content, true)];
      } finally {
        await handle.close();
      }
    }),
  );
  return siblings.flat();
}

function describe(
  path: string,
  coding: Coding | "identity",
  stats: BigIntStats,
  content: Buffer | undefined,
  isKept: boolean,
): Representation {
  return {
    path,
    coding,
    size: content?.length ?? Number(stats.size),
    etag: entityTag(stats, content, coding),
    lastModified: lastModified(stats),
    content: isKept ? content : undefined,
    stamp: stampOf(stats),
  };
}

/**
 * A digest where the content is at hand, else size and time, so that instances agree.
 * Files dated at the epoch (Nix, reproducible images) fall back on the time of the last change of the inode.
 */
function entityTag(
  stats: BigIntStats,
  content: Buffer | undefined,
  coding: Coding | "identity",
): string {
  const suffix = coding === "identity" ? "" : `-${coding}`;
  if (content !== undefined) {
    const digest = createHash("sha256").update(content).digest("base64url").slice(0, 27);
    return `"${digest}${suffix}"`;
  }
  const time = isDated(stats) ? stats.mtimeNs : stats.ctimeNs;
  return `"${stats.size.toString(36)}-${time.toString(36)}${suffix}"`;
}

/** RFC 9110 8.8.2.1: no later than now; nothing for times that only mark reproducible builds. */
function lastModified(stats: BigIntStats): number | undefined {
  if (!isDated(stats)) return undefined;
  return Math.floor(Math.min(Number(stats.mtimeMs), Date.now()) / 1000);
}

function isDated(stats: BigIntStats): boolean {
  return stats.mtimeMs > 1000n;
}

function hasGrown(content: Buffer | undefined, stats: BigIntStats): boolean {
  return content !== undefined && content.length !== Number(stats.size);
}

const STALE_AFTER_NS = 2_000_000_000n;

/** A sibling clearly older than its original was compressed from another text. */
function isStale(siblingStamp: string, originalStamp: string): boolean {
  return mtimeNs(siblingStamp) + STALE_AFTER_NS < mtimeNs(originalStamp);
}

function mtimeNs(stamp: string): bigint {
  return BigInt(stamp.slice(0, stamp.indexOf("-", 1)));
}

async function currentStamp(path: string): Promise<string | undefined> {
  try {
    return stampOf(await stat(path, { bigint: true }));
  } catch {
    return undefined; // gone or unreadable now: loading it again says which
  }
}

async function readAll(handle: FileHandle, size: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(buffer, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}
