import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Context } from "mocha";

/** Returns the absolute path of `program` on the PATH (and the sbin folders), or undefined. */
function findProgram(program: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return [...folders, "/usr/sbin", "/sbin"]
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Returns the path of an external program, or skips the running test naming the program.
 * With HAUBERK_REQUIRE_EXTERNALS=1 a missing program fails the test instead.
 */
export function requireProgram(context: Context, program: string): string {
  const path = findProgram(program);
  if (path !== undefined) return path;
  if (process.env["HAUBERK_REQUIRE_EXTERNALS"] === "1") {
    throw new Error(`Cannot run this test: ${program} is not installed`);
  }
  const test = context.test ?? context.currentTest;
  if (test !== undefined) test.title += ` (skipped: ${program} is not installed)`;
  return context.skip();
}

/** True where every test runs in full: with HAUBERK_REQUIRE_EXTERNALS=1, as the gate does. */
export const IS_THOROUGH: boolean = process.env["HAUBERK_REQUIRE_EXTERNALS"] === "1";

/** Skips the running suite or test, which takes `duration`, unless every test is to run in full. */
export function requireThorough(context: Context, duration: string): void {
  if (IS_THOROUGH) return;
  const test = context.test ?? context.currentTest;
  if (test !== undefined) test.title += ` (skipped: takes ${duration}; npm run test:conformance)`;
  context.skip();
}
