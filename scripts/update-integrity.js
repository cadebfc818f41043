// @ts-check
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./ensure-built.js";

const SITE = join(ROOT, "examples", "site");
const TAG = /<(?:script|link)\b[^>]*\sintegrity="[^"]*"[^>]*>/g;

const check = process.argv.includes("--check");
const stale = readdirSync(SITE, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".html"))
  .filter((file) => {
    const html = readFileSync(join(SITE, file), "utf8");
    const updated = html.replace(TAG, withIntegrity);
    if (!check && updated !== html) writeFileSync(join(SITE, file), updated);
    return updated !== html;
  });
for (const file of stale) {
  process.stdout.write(`${check ? "Stale integrity in" : "Updated"} examples/site/${file}\n`);
}
if (check && stale.length > 0) process.exitCode = 1;

/** @param {string} tag */
function withIntegrity(tag) {
  const path = /\s(?:src|href)="\/([^"]+)"/.exec(tag)?.[1];
  if (path === undefined) {
    throw new Error(`Cannot compute integrity of ${tag}: no src or href that starts with "/"`);
  }
  const digest = createHash("sha384")
    .update(readFileSync(join(SITE, path)))
    .digest("base64");
  return tag.replace(/integrity="[^"]*"/, `integrity="sha384-${digest}"`);
}
