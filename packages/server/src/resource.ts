import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { type InlineHashes, inlineHashes } from "@hauberk/headers";
import { openContained } from "./contained-file.ts";
import { CODINGS, CODING_SUFFIX, type Coding } from "./content-encoding.ts";
import type { Validators } from "./conditional-request.ts";
import { stampOf } from "./file-stamp.ts";
import { mediaType } from "./media-type.ts";
import { addIntegrity, areUnchanged, currentStamp, type Dependency } from "./page-integrity.ts";
import { readWhole } from "./read-whole.ts";

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
  /** Other files that the content depends on. */
  readonly dependencies: readonly Dependency[];
  /** False while the file is so new that a further write might not change its time stamp. */
  readonly isSettled: boolean;
}

export type ResourceOutcome =
  Resource | { readonly kind: "folder" | "missing" | "forbidden" | "busy" };

/** Reading a page costs about 0.1 s per MB; larger ones go without hashes, their inline scripts stay blocked. */
const MAX_HASHED_PAGE_BYTES = 1_048_576;

/** Longer than the coarsest time stamp of a common file system (FAT: 2 s). */
const SETTLING_MS = 2_500;

/** How resources are read. */
export interface ResourceSettings {
  /** Real path of the folder that is served. */
  readonly root: string;
  /** Largest file whose content is kept, bytes. */
  readonly maxFileBytes: number;
  /** Whether scripts and stylesheets of pages are given their integrity. */
  readonly addsIntegrity: boolean;
  /** Whether event-handler and style attributes of pages are hashed. */
  readonly hashesAttributes: boolean;
}

/** Returns what stands at `path` below the root, its content read when it has at most `maxFileBytes`. */
export async function loadResource(
  path: string,
  settings: ResourceSettings,
): Promise<ResourceOutcome> {
  const { root, maxFileBytes } = settings;
  const type = mediaType(path);
  const isPage = type.startsWith("text/html");
  const opened = await openContained(root, path);
  if (opened.kind !== "file") return { kind: opened.kind };
  const { handle, stats } = opened;
  try {
    const hasToRead = stats.size <= (isPage ? MAX_HASHED_PAGE_BYTES : maxFileBytes);
    const written = hasToRead ? await readWhole(handle, Number(stats.size)) : undefined;
    const { content, dependencies } =
      isPage && settings.addsIntegrity && written !== undefined
        ? await addIntegrity(root, path, written)
        : { content: written, dependencies: [] };
    // What differs from the file exists in memory alone, and its siblings hold the file's text.
    const isRewritten = content !== written;
    const isKept = content !== undefined && (isRewritten || content.length <= maxFileBytes);
    const identity = describe(path, "identity", stats, content, isKept);
    const siblings = isRewritten ? [] : await loadSiblings(root, path, stats, maxFileBytes);
    const changedAt = Math.max(
      Number(stats.ctimeMs),
      ...dependencies.map((dependency) => dependency.changedAt),
    );
    return {
      kind: "resource",
      mediaType: type,
      representations: [identity, ...siblings],
      codings: siblings.flatMap(({ coding }) => (coding === "identity" ? [] : [coding])),
      hashes:
        isPage && content !== undefined
          ? inlineHashes(content, { attributes: settings.hashesAttributes })
          : undefined,
      dependencies,
      isSettled: Date.now() - changedAt > SETTLING_MS && !hasGrown(written, stats),
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
  if (!(await areUnchanged(resource.dependencies))) return false;
  const stamps = await Promise.all(paths.map(currentStamp));
  return paths.every((path, index) => {
    const stamp = stamps[index];
    return stamp === expected.get(path) || (stamp !== undefined && isStale(stamp, identity.stamp));
  });
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
        const content = isKept ? await readWhole(handle, Number(stats.size)) : undefined;
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
