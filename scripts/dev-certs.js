// @ts-check
import { join } from "node:path";
import { ensureBuilt, ROOT } from "./ensure-built.js";

const LOCAL_NAMES = ["localhost", "127.0.0.1", "::1"];

ensureBuilt(["packages/cli"]);

const names = process.argv.slice(2);
const command = join(ROOT, "packages", "cli", "bin", "hauberk.js");
process.chdir(ROOT);
process.argv = [process.execPath, command, "cert", ...(names.length > 0 ? names : LOCAL_NAMES)];
await import(command);
