import type { Command } from "./command.ts";
import { misuse, MisuseError } from "./misuse.ts";
import { nearest } from "./nearest.ts";
import { version } from "./version.ts";

interface CommandModule {
  readonly load: () => Promise<Command>;
  readonly help: () => Promise<{ readonly HELP: string }>;
}

/** Every command is loaded when it is called, so that a short one starts fast. */
const COMMANDS: Readonly<Record<string, CommandModule>> = {
  ca: {
    load: async () => (await import("./ca.ts")).ca,
    help: () => import("./help/ca.ts"),
  },
  cert: {
    load: async () => (await import("./cert.ts")).cert,
    help: () => import("./help/cert.ts"),
  },
  csp: {
    load: async () => (await import("./csp.ts")).csp,
    help: () => import("./help/csp.ts"),
  },
  inspect: {
    load: async () => (await import("./inspect.ts")).inspect,
    help: () => import("./help/inspect.ts"),
  },
  serve: {
    load: async () => (await import("./serve.ts")).serve,
    help: () => import("./help/serve.ts"),
  },
  verify: {
    load: async () => (await import("./verify.ts")).verify,
    help: () => import("./help/verify.ts"),
  },
};

/**
 * Runs `hauberk` with the arguments after its name and resolves with the exit code:
 * 0 done, 1 failed, 2 called wrongly. Never rejects.
 */
export async function main(args: readonly string[]): Promise<number> {
  const [name = "--help", ...rest] = args;
  outliveOutput();
  try {
    if (name === "--version" || name === "-v") return print(`${version()}\n`);
    if (name === "--help" || name === "-h") return print(await helpText(undefined));
    if (name === "help") return print(await helpText(rest[0]));
    const command = find(name);
    if (rest.includes("--help") || rest.includes("-h")) return print(await helpText(name));
    const run = await command.load();
    return (await run(rest)) ?? 0;
  } catch (error) {
    return report(error, args.includes("--verbose"));
  }
}

/**
 * A reader that went away (`hauberk serve | head`) or a full disk costs output, not the process: a server goes on,
 * and a short command ends with 1 unless nobody was reading.
 */
function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") process.exitCode = 1;
    });
  }
}

function find(name: string): CommandModule {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return command;
  const suggestion = nearest(name, Object.keys(COMMANDS));
  throw misuse(`unknown command ${JSON.stringify(name)}; did you mean "${suggestion}"?`);
}

async function helpText(name: string | undefined): Promise<string> {
  const { HELP } = await (name === undefined ? import("./help/general.ts") : find(name).help());
  return HELP;
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
