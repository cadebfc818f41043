// @ts-check
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { ROOT } from "./ensure-built.js";

const FORWARDED_SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/** @typedef {{ passed: number, failed: number, skipped: number, open: string[] }} TestResult */

/**
 * Runs the compiled tests and prints `N passed, N failed` (and `, N skipped`) as the last line.
 * Paths among `args` name tests or folders of tests as they stand in the source tree
 * (`test/cert`, `test/server/range.test.ts`); everything else goes to mocha as it is.
 *
 * @param {readonly string[]} args
 * @param {string} [node] program that runs the tests
 * @returns {Promise<number>} the exit code: mocha's own, or 1 when it ended without a result or had to be ended
 */
export async function runTests(args, node = process.execPath) {
  const results = mkdtempSync(join(ROOT, "build", "test-result-"));
  try {
    return await runMocha(args, node, join(results, "result.json"));
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}

/**
 * @param {readonly string[]} args
 * @param {string} node
 * @param {string} resultFile
 */
async function runMocha(args, node, resultFile) {
  const mocha = join(ROOT, "node_modules", "mocha", "bin", "mocha.js");
  const reporter = join(ROOT, "scripts", "mocha-reporter.js");
  const specs = args.filter(isTestPath).map(compiledSpec);
  const options = args.filter((arg) => !isTestPath(arg));
  if (specs.length === 0) specs.push("build/test/**/*.test.js");

  const child = spawn(
    node,
    ["--enable-source-maps", mocha, "--reporter", reporter, ...options, ...specs],
    {
      cwd: ROOT,
      stdio: "inherit",
      env: {
        ...process.env,
        HAUBERK_TEST_RESULT: resultFile,
        PATH: `${dirname(node)}${delimiter}${process.env["PATH"] ?? ""}`,
      },
    },
  );
  const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
  for (const signal of FORWARDED_SIGNALS) process.on(signal, forward);
  const [code, signal] = /** @type {[number | null, NodeJS.Signals | null]} */ (
    await once(child, "exit")
  );
  for (const name of FORWARDED_SIGNALS) process.off(name, forward);
  return report(resultFile, code ?? 128 + constants.signals[signal ?? "SIGKILL"]);
}

/**
 * @param {string} resultFile
 * @param {number} exitCode of mocha
 * @returns {number} the exit code of the whole
 */
function report(resultFile, exitCode) {
  if (!existsSync(resultFile)) {
    process.stderr.write(`The tests ended early: mocha gave no result (exit code ${exitCode})\n`);
    return exitCode || 1;
  }
  const { passed, failed, skipped, open } = /** @type {TestResult} */ (
    JSON.parse(readFileSync(resultFile, "utf8"))
  );
  if (open.length > 0) process.stderr.write(`The tests left open: ${open.join(", ")}\n`);
  const skips = skipped > 0 ? `, ${skipped} skipped` : "";
  process.stdout.write(`${passed} passed, ${failed} failed${skips}\n`);
  return exitCode || (failed > 0 || open.length > 0 ? 1 : 0);
}

/** @param {string} arg */
function isTestPath(arg) {
  return /^(?:\.\/)?test\//.test(arg);
}

/** @param {string} path */
function compiledSpec(path) {
  const compiled = `build/${relative(ROOT, join(ROOT, path))}`;
  return path.endsWith(".ts") ? compiled.replace(/\.ts$/, ".js") : `${compiled}/**/*.test.js`;
}
