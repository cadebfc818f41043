import type { Command } from "./command.ts";
import { misuse } from "./misuse.ts";
import { nearest } from "./nearest.ts";

/** Every subcommand is loaded when it is called. */
const SUBCOMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  learn: async () => (await import("./csp-learn.ts")).cspLearn,
  lint: async () => (await import("./csp-lint.ts")).cspLint,
};

/** `hauberk csp`: what a Content-Security-Policy allows, and what is wrong with it. */
export async function csp([name, ...args]: readonly string[]): Promise<number | void> {
  const names = Object.keys(SUBCOMMANDS);
  if (name === undefined || name.startsWith("-")) {
    throw misuse(`csp takes one of ${names.join(", ")}; see hauberk help csp`);
  }
  const load = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined;
  if (load === undefined) {
    const suggestion = nearest(name, names);
    throw misuse(`unknown command csp ${JSON.stringify(name)}; did you mean "csp ${suggestion}"?`);
  }
  const run = await load();
  return run(args);
}
