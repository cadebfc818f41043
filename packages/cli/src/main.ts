import type { Command } from "./command.ts";
import { misuse, MisuseError } from "./misuse.ts";
import { nearest } from "./nearest.ts";
import { helpText, version } from "./help.ts";

/** Every command is loaded when it is called, so that a short one starts fast. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  cert: async () => (await import("./cert.ts")).cert,
  serve: async () => (await import("./serve.ts")).serve,
};

/**
 * Runs `hauberk` with the arguments after its name and resolves with the exit code:
 * 0 done, 1 failed, 2 called wrongly. Never rejects.
 */
export async function main(args: readonly string[]): Promise<number> {
  const [name = "--help", ...rest] = args;
  try {
    if (name === "--version" || name === "-v") return print(`${version()}\n`);
    if (name === "--help" || name === "-h" || name === "help") return print(helpText(rest[0]));
    if (rest.includes("--help") || rest.includes("-h")) return print(helpText(name));
    const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (load === undefined) {
      const suggestion = nearest(name, Object.keys(COMMANDS));
      throw misuse(`unknown command ${JSON.stringify(name)}; did you mean "${suggestion}"?`);
    }
    const command = await load();
    await command(rest);
    return 0;
  } catch (error) {
    return report(error, args.includes("--verbose"));
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function report(error: unknown, isVerbose: boolean): number {
  const isMisuse =
    error instanceof MisuseError || error instanceof TypeError || error instanceof RangeError;
  const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`hauberk: ${message}${code}\n`);
  if (isVerbose && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return isMisuse ? 2 : 1;
}
