// @ts-check
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { ROOT } from "./ensure-built.js";

const FORWARDED_SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/**
 * Runs the compiled tests and prints `N passed, N failed` (and `, N skipped`) as the last line.
 * Paths among `args` name tests or folders of tests as they stand in the source tree
 * (`test/cert`, `test/server/range.test.ts`); everything else goes to mocha as it is.
 *
 * @param {readonly string[]} args
 * @param {string} [node] program that runs the tests
 * @returns {Promise<number>} the exit code: mocha's own, or 1 when mocha ended without a result
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
  const specs = args.filter(isTestPath).map(compiledSpec);
  const options = args.filter((arg) => !isTestPath(arg));
  if (specs.length === 0) specs.push("build/test/**/*.test.js");
  const reporter = join(ROOT, "scripts", "mocha-reporter.js");

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

  if (!existsSync(resultFile)) {
    process.stderr.write(
      `The tests ended early: mocha gave no result (${signal ?? `exit code ${code}`})\n`,
    );
    return code || (signal === null ? 1 : 128 + constants.signals[signal]);
  }
  const { passed, failed, skipped } =
    /** @type {Record<"passed" | "failed" | "skipped", number>} */ (
      JSON.parse(readFileSync(resultFile, "utf8"))
    );
  const skips = skipped > 0 ? `, ${skipped} skipped` : "";
  process.stdout.write(`${passed} passed, ${failed} failed${skips}\n`);
  return code ?? 1;
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
