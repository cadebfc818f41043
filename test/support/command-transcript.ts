import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command, CommandResult } from "@hauberk/cert/trust-store";
import { repositoryRoot } from "./repository.ts";

/** A recorded conversation with programs, played back in its order. */
export interface Transcript {
  readonly run: (command: Command) => Promise<CommandResult>;
  /** The commands that were not asked for, as they stand in the file. */
  remaining(): readonly string[];
}

interface Exchange {
  readonly command: string;
  readonly result: CommandResult;
  readonly effects: readonly string[];
}

export interface TranscriptOptions {
  /** What stands for `{NAME}` in the file. */
  readonly values: Readonly<Record<string, string>>;
  /** Folder in which the effects of commands take place. */
  readonly root?: string;
}

/**
 * Reads test/fixtures/trust-store/NAME.txt: per command a line `$ program argument...`, optionally
 * `exit N`, lines of effects (`write PATH TEXT`), and below them the output.
 */
export function playTranscript(name: string, options: TranscriptOptions): Transcript {
  const path = join(repositoryRoot, "test", "fixtures", "trust-store", `${name}.txt`);
  const text = readFileSync(path, "utf8").replaceAll(/\{([A-Z0-9_]+)\}/g, (whole, key: string) => {
    const value = options.values[key];
    if (value === undefined) throw new Error(`${path} needs a value for ${whole}`);
    return value;
  });
  if (!text.startsWith("SOURCE: ")) throw new Error(`${path} does not say where it is from`);
  const exchanges = text.split(/^\$ /m).slice(1).map(toExchange);
  return {
    async run({ program, args }) {
      const asked = [program, ...args].join(" ");
      const next = exchanges.shift();
      if (next?.command !== asked) {
        throw new Error(`${name}: expected ${next?.command ?? "no command"}, got ${asked}`);
      }
      for (const effect of next.effects) write(options.root ?? "", effect);
      return next.result;
    },
    remaining: () => exchanges.map(({ command }) => command),
  };
}

function toExchange(block: string): Exchange {
  const [command = "", ...lines] = block.trimEnd().split("\n");
  const isEffect = (line: string): boolean => line.startsWith("write ");
  const code = lines.find((line) => /^exit \d+$/.test(line))?.slice("exit ".length) ?? "0";
  const output = lines.filter((line) => !isEffect(line) && !/^exit \d+$/.test(line)).join("\n");
  const result = { code: Number(code), stdout: output, stderr: "" };
  return { command, result, effects: lines.filter(isEffect) };
}

function write(root: string, effect: string): void {
  const [, path = "", text = ""] = /^write (\S+) ?(.*)$/.exec(effect) ?? [];
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text.replaceAll(String.raw`\n`, "\n"));
}
