import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "mocha";

/** Returns a new empty directory that is removed after the surrounding suite. */
export function tempDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "hauberk-test-"));
  after(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}
