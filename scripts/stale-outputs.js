// @ts-check
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join, relative, sep } from "node:path";

const OUTPUT = /\.(?:js|js\.map|d\.ts|d\.ts\.map)$/;

/**
 * Deletes compiled files whose TypeScript source is gone. `tsc -b` never does, so a deleted test
 * would go on running and a deleted module would go on being published.
 *
 * @param {string} outputs folder of compiled files
 * @param {string} sources folder they were compiled from
 * @returns {readonly string[]} the deleted files, relative to `outputs`
 */
export function removeStaleOutputs(outputs, sources) {
  if (!existsSync(outputs)) return [];
  const stale = readdirSync(outputs, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && OUTPUT.test(entry.name))
    .map((entry) => relative(outputs, join(entry.parentPath, entry.name)))
    .filter((file) => !existsSync(join(sources, file.replace(OUTPUT, ".ts"))));
  for (const file of stale) rmSync(join(outputs, ...file.split(sep)));
  return stale;
}
