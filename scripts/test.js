// @ts-check
import { ensureBuilt } from "./ensure-built.js";
import { runTests } from "./run-tests.js";

/** `--thorough` runs every test in full and fails where an external program is missing. */
const THOROUGH = "--thorough";

const args = process.argv.slice(2);
if (args.includes(THOROUGH)) process.env["HAUBERK_REQUIRE_EXTERNALS"] = "1";
ensureBuilt();
process.exitCode = await runTests(args.filter((arg) => arg !== THOROUGH));
