// @ts-check
import { ensureBuilt } from "./ensure-built.js";
import { runTests } from "./run-tests.js";

ensureBuilt();
process.exitCode = await runTests(process.argv.slice(2));
