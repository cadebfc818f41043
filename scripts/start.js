// @ts-check
import { join } from "node:path";
import { ensureBuilt, ROOT } from "./ensure-built.js";

ensureBuilt(["packages/cli"]);

// In this process rather than in a child: signals and the exit code are the server's own.
const command = join(ROOT, "packages", "cli", "bin", "hauberk.js");
process.chdir(ROOT);
process.argv = [process.execPath, command, "serve", "examples/site", ...process.argv.slice(2)];
await import(command);
