import { parseArgs, type ParseArgsConfig } from "node:util";
import { misuse } from "./misuse.ts";
import { nearest } from "./nearest.ts";

/**
 * Runs one command with its arguments; resolves when it is done, with the exit code unless that is 0;
 * rejects with what went wrong.
 */
export type Command = (args: readonly string[]) => Promise<number | void>;

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values<T extends Options> = {
  readonly [K in keyof T]?: T[K] extends { type: "boolean" }
    ? boolean
    : T[K] extends { multiple: true }
      ? string[]
      : string;
};

/**
 * Returns the options and the other arguments of a command. Every command takes `--verbose`.
 *
 * @throws {MisuseError} An option is unknown, has no value, or has one it does not take.
 */
export function parseCommand<T extends Options>(
  args: readonly string[],
  options: T,
): { readonly values: Values<T>; readonly positionals: readonly string[] } {
  const known = { ...options, verbose: { type: "boolean" } } as const;
  for (const arg of args) {
    if (arg === "--") break;
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name !== undefined && !Object.hasOwn(known, name)) {
      throw misuse(
        `unknown option --${name}; did you mean --${nearest(name, Object.keys(known))}?`,
      );
    }
  }
  try {
    const parsed = parseArgs({ args: [...args], options: known, allowPositionals: true });
    return { values: parsed.values, positionals: parsed.positionals };
  } catch (error) {
    throw misuse(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/**
 * Refuses arguments that are no options. Does not show them: somebody may have typed a passphrase.
 *
 * @throws {MisuseError} There are any.
 */
export function noPositionals(command: string, positionals: readonly string[]): void {
  if (positionals.length === 0) return;
  throw misuse(`${command} takes options only; see hauberk help ${command.split(" ")[0] ?? ""}`);
}

/**
 * Returns the whole number that an option names.
 *
 * @throws {MisuseError} It is no whole number from `min` to `max`.
 */
export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw misuse(
    `${option} is ${JSON.stringify(text)}; it takes a whole number from ${min} to ${max}`,
  );
}

/**
 * Returns `text` when it is one of `choices`.
 *
 * @throws {MisuseError} It is not; the nearest choice is offered.
 */
export function choice<const T extends string>(
  option: string,
  text: string,
  choices: readonly T[],
): T {
  const found = choices.find((one) => one === text);
  if (found !== undefined) return found;
  throw misuse(
    `${option} is ${JSON.stringify(text)}; it takes ${choices.join(", ")}; did you mean ${nearest(text, choices)}?`,
  );
}
