import { quote } from "./quote.ts";

/**
 * Refuses an option object that is not one, or that carries a key outside `known`.
 *
 * @throws {TypeError} If `options` is no object or has an unknown key; names the nearest known one
 */
export function checkOptionKeys(
  caller: string,
  options: object,
  known: Readonly<Record<string, true>>,
): void {
  if (typeof options !== "object" || (options as unknown) === null || Array.isArray(options)) {
    throw new TypeError(`${caller}: options must be an object, got ${quote(options)}`);
  }
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(known, key)) continue;
    const nearest = nearestWord(key, Object.keys(known));
    const hint = nearest === undefined ? "" : `; did you mean ${quote(nearest)}?`;
    throw new TypeError(`${caller}: unknown option ${quote(key)}${hint}`);
  }
}

/** An integer option and its bounds, both inclusive. */
export interface IntegerRange {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Returns an integer option, or its default when absent.
 *
 * @throws {TypeError} If the value is no number
 * @throws {RangeError} If the value is no integer between `min` and `max`
 */
export function integerOption(
  path: string,
  value: number | undefined,
  range: IntegerRange,
): number {
  if (value === undefined) return range.fallback;
  if (typeof value !== "number") {
    throw new TypeError(`${path} must be a number, got ${quote(value)}`);
  }
  if (!Number.isInteger(value) || value < range.min || value > range.max) {
    throw new RangeError(
      `${path} must be an integer from ${range.min} to ${range.max}, got ${quote(value)}`,
    );
  }
  return value;
}

/**
 * Returns a date option, or the present time when absent.
 *
 * @throws {TypeError} If the value is no valid Date
 * @throws {RangeError} If its year is outside 1951 to 9000, which X.509 dates could not carry
 */
export function dateOption(path: string, value: Date | undefined): Date {
  if (value === undefined) return new Date();
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) {
    throw new TypeError(`${path} must be a valid Date, got ${quote(value)}`);
  }
  const year = value.getUTCFullYear();
  if (year < 1951 || year > 9000) {
    throw new RangeError(`${path} must lie in the years 1951 to 9000, got ${quote(value)}`);
  }
  return value;
}

/**
 * Returns a boolean option, or false when absent.
 *
 * @throws {TypeError} If the value is no boolean
 */
export function booleanOption(path: string, value: boolean | undefined): boolean {
  if (value === undefined) return false;
  if (typeof value !== "boolean") {
    throw new TypeError(`${path} must be true or false, got ${quote(value)}`);
  }
  return value;
}

/**
 * Returns a path option, or undefined when absent.
 *
 * @throws {TypeError} If the value is no string, is empty or holds a NUL
 */
export function pathOption(path: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value === "" || value.includes("\0")) {
    throw new TypeError(`${path} must be a non-empty path, got ${quote(value)}`);
  }
  return value;
}

/** Returns the word at most a third of its length away from `wanted`, or undefined. */
function nearestWord(wanted: string, words: readonly string[]): string | undefined {
  const ranked = words
    .map((word) => ({ word, distance: editDistance(wanted.toLowerCase(), word.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(2, best.word.length / 3)
    ? best.word
    : undefined;
}

function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 0; i < from.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j += 1) {
      const substitution = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1);
      next.push(Math.min(substitution, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
