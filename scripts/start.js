// @ts-check
import { join } from "node:path";
import { ensureBuilt, ROOT } from "./ensure-built.js";

const PARENT_CHECK_MS = 500;

ensureBuilt(["packages/cli"]);
endWithParent();

// In this process rather than in a child: signals and the exit code are the server's own.
const command = join(ROOT, "packages", "cli", "bin", "hauberk.js");
process.chdir(ROOT);
process.argv = [process.execPath, command, "serve", "examples/site", ...process.argv.slice(2)];
await import(command);

/**
 * Stops the server when its parent is gone. npm passes SIGTERM to the shell that runs this script,
 * and that shell dies without passing it on: the server would go on holding its ports.
 *
 * A signal that does arrive ends the watch: a second one would cut off the requests in flight.
 */
function endWithParent() {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
  }, PARENT_CHECK_MS).unref();
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
    process.once(signal, () => {
      clearInterval(watch);
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    });
  }
}
