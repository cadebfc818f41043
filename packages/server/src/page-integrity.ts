import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { pageSubresources } from "@hauberk/headers";
import { openContained } from "./contained-file.ts";
import { stampOf } from "./file-stamp.ts";
import { readWhole } from "./read-whole.ts";
import { parseRequestPath } from "./request-path.ts";

/** A file that a page states the digest of; the stamp is undefined while there is none. */
export interface Dependency {
  readonly path: string;
  readonly stamp: string | undefined;
  /** Time of its last change, milliseconds since the epoch. */
  readonly changedAt: number;
}

/** A page with the integrity of its own files, and what that depends on. */
export interface IntegralPage {
  readonly content: Buffer;
  readonly dependencies: readonly Dependency[];
}

const MAX_SUBRESOURCES = 100;
const MAX_DIGESTED_BYTES = 4_194_304n;

/**
 * Returns a page whose scripts and stylesheets below `root` state their integrity, the first 100 of
 * them, each of at most 4 MiB. What a page loads from elsewhere, or says the integrity of, stays.
 */
export async function addIntegrity(
  root: string,
  path: string,
  content: Buffer,
): Promise<IntegralPage> {
  const page = pageSubresources(content, pagePath(root, path));
  const found = await Promise.all(
    page.paths.slice(0, MAX_SUBRESOURCES).map((address) => digestOf(root, address)),
  );
  const integrity = new Map<string, string>();
  for (const { address, digest } of found.flatMap((one) => one ?? [])) {
    if (digest !== undefined) integrity.set(address, digest);
  }
  return {
    content: integrity.size === 0 ? content : page.addIntegrity(integrity),
    dependencies: found.flatMap((one) => one?.dependency ?? []),
  };
}

/** Returns whether every file is still the one whose digest a page states. */
export async function areUnchanged(dependencies: readonly Dependency[]): Promise<boolean> {
  const stamps = await Promise.all(dependencies.map(({ path }) => currentStamp(path)));
  return dependencies.every(({ stamp }, index) => stamp === stamps[index]);
}

/** Identifies the file at `path`, or returns undefined when there is none that can be read. */
export async function currentStamp(path: string): Promise<string | undefined> {
  try {
    return stampOf(await stat(path, { bigint: true }));
  } catch {
    return undefined; // gone or unreadable now: loading it again says which
  }
}

function pagePath(root: string, path: string): string {
  return `/${relative(root, path).split(sep).map(encodeURIComponent).join("/")}`;
}

async function digestOf(
  root: string,
  address: string,
): Promise<{ address: string; digest: string | undefined; dependency: Dependency } | undefined> {
  const [asked = ""] = address.split("?", 1);
  const parsed = parseRequestPath(asked);
  if (parsed.kind === "refused" || parsed.isFolder) return undefined;
  const path = join(root, ...parsed.segments);
  const opened = await openContained(root, path);
  if (opened.kind !== "file") {
    const dependency = { path, stamp: await currentStamp(path), changedAt: 0 };
    return { address, digest: undefined, dependency };
  }
  const { handle, stats } = opened;
  try {
    const dependency = { path, stamp: stampOf(stats), changedAt: Number(stats.ctimeMs) };
    if (stats.size > MAX_DIGESTED_BYTES) return { address, digest: undefined, dependency };
    const content = await readWhole(handle, Number(stats.size));
    const digest = `sha384-${createHash("sha384").update(content).digest("base64")}`;
    return { address, digest, dependency };
  } finally {
    await handle.close();
  }
}
