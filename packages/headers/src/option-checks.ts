import { inspect } from "node:util";
import { nearestMatch } from "./nearest-match.ts";

const MAX_ECHO_CHARACTERS = 80;

/** Returns `value` as it is echoed in a message: quoted, on one line, at most about 80 characters. */
export function echo(value: unknown): string {
  if (typeof value !== "string")
    return inspect(value, {
      depth: 1,
      breakLength: Infinity,
      customInspect: false,
      maxArrayLength: 8,
    });
  const shown =
    value.length > MAX_ECHO_CHARACTERS ? `${value.slice(0, MAX_ECHO_CHARACTERS)}...` : value;
  return JSON.stringify(shown);
}

/** Returns `; did you mean "x"?` for a misspelt name, or an empty text when nothing is close. */
export function suggestion(name: string, candidates: Iterable<string>): string {
  const nearest = nearestMatch(name, candidates);
  return nearest === undefined ? "" : `; did you mean ${JSON.stringify(nearest)}?`;
}

/**
 * Returns the defined properties of an options object.
 *
 * @throws {TypeError} If `value` is no object, or, with `known`, has another key or a null.
 */
export function optionRecord(
  path: string,
  value: unknown,
  known?: Readonly<Record<string, true>>,
): ReadonlyMap<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`${path} must be an object, got ${echo(value)}`);
  }
  const entries = new Map<string, unknown>();
  for (const [key, entry] of Object.entries(value)) {
    if (known !== undefined && !Object.hasOwn(known, key)) {
      throw new TypeError(
        `${path} has no option ${echo(key)}${suggestion(key, Object.keys(known))}`,
      );
    }
    if (known !== undefined && entry === null) {
      throw new TypeError(`${path}.${key} must not be null; leave it out for the default`);
    }
    if (entry !== undefined) entries.set(key, entry);
  }
  return entries;
}

/** Returns `value` if it is one of `allowed`; throws a TypeError naming `path` otherwise. */
export function oneOf<Value extends string>(
  path: string,
  value: unknown,
  allowed: readonly Value[],
): Value {
  const match = allowed.find((candidate) => candidate === value);
  if (match !== undefined) return match;
  const hint = typeof value === "string" ? suggestion(value, allowed) : "";
  const choices = allowed.map((choice) => JSON.stringify(choice)).join(", ");
  throw new TypeError(`${path} must be one of ${choices}, got ${echo(value)}${hint}`);
}

/** Returns `value` if it is a boolean; throws a TypeError naming `path` otherwise. */
export function booleanOption(path: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new TypeError(`${path} must be true or false, got ${echo(value)}`);
}

/** Returns `listener`, or one that does nothing; throws a TypeError naming `path` if it is no function. */
export function listenerOption<Event>(
  path: string,
  listener: ((event: Event) => void) | undefined,
): (event: Event) => void {
  if (listener === undefined) return () => undefined;
  const given: unknown = listener;
  if (typeof given === "function") return listener;
  throw new TypeError(`${path} must be a function, got ${echo(given)}`);
}

/** Returns `value` if it is an array of strings; throws a TypeError naming `path` otherwise. */
export function stringsOption(path: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) return value;
  throw new TypeError(`${path} must be an array of strings, got ${echo(value)}`);
}
