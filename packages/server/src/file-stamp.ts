import type { BigIntStats } from "node:fs";

/** Identifies one state of one file: a change of content, owner or name changes it. */
export function stampOf(stats: BigIntStats): string {
  return [stats.mtimeNs, stats.ctimeNs, stats.size, stats.ino, stats.dev].join("-");
}
