/** Returns `value` as text for a message; what JSON cannot carry (NaN, undefined, functions) is named instead. */
export function quote(value: unknown): string {
  if (typeof value === "string" || (typeof value === "object" && value !== null)) {
    return JSON.stringify(value);
  }
  return typeof value === "function" ? "a function" : String(value);
}

/**
 * Refuses an options value that is no object, or that has a key outside `known`.
 *
 * @throws {TypeError} Naming the unknown key and the known one nearest to it.
 */
export function requireKnownKeys(
  owner: string,
  options: unknown,
  known: Readonly<Record<string, true>>,
): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot read ${owner} options: expected an object, got ${quote(options)}`);
  }
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(known, key)) continue;
    const nearest = nearestMatch(key, Object.keys(known));
    const hint = nearest === undefined ? "" : `, did you mean "${nearest}"?`;
    throw new TypeError(`Unknown ${owner} option ${quote(key)}${hint}`);
  }
}

/**
 * Returns `value` when it is an integer from `minimum` to `maximum`.
 *
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is NaN, infinite, fractional or out of range.
 */
export function requireInteger(
  path: string,
  value: unknown,
  minimum: number,
  maximum: number,
): number {
  if (
    typeof value === "number" &&
    Number.isInteger(value) &&
    value >= minimum &&
    value <= maximum
  ) {
    return value;
  }
  const wanted = `"${path}" must be an integer from ${minimum} to ${maximum}, got ${quote(value)}`;
  throw typeof value === "number" ? new RangeError(wanted) : new TypeError(wanted);
}

/**
 * Returns `value` when it is a boolean.
 *
 * @throws {TypeError} If it is none.
 */
export function requireBoolean(path: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new TypeError(`"${path}" must be a boolean, got ${quote(value)}`);
}

/**
 * Returns `value` when it is one of `allowed`.
 *
 * @throws {TypeError} If it is none of them.
 */
export function requireOneOf<T extends string>(
  path: string,
  value: unknown,
  allowed: readonly T[],
): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  const names = allowed.map((name) => `"${name}"`).join(", ");
  throw new TypeError(`"${path}" must be one of ${names}, got ${quote(value)}`);
}

/** @throws {TypeError} If `value` is neither absent nor a function. */
export function requireFunction(path: string, value: unknown): void {
  if (value === undefined || typeof value === "function") return;
  throw new TypeError(`"${path}" must be a function, got ${quote(value)}`);
}

function nearestMatch(word: string, candidates: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let nearestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance >= nearestDistance) continue;
    nearest = candidate;
    nearestDistance = distance;
  }
  return nearest;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}
