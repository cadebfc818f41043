/** Inclusive bounds of a numeric option and the value it has when absent. */
interface IntegerBounds {
  readonly min: number;
  readonly max: number;
  readonly default: number;
}

/**
 * Refuses option bags with keys that are not in `known`.
 *
 * @throws {TypeError} If `options` is not an object or has an unknown key; the nearest known key is named.
 */
export function requireKnownKeys(
  path: string,
  options: unknown,
  known: Readonly<Record<string, true>>,
): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`${path} must be an object, got ${JSON.stringify(options)}`);
  }
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(known, key)) continue;
    throw new TypeError(`Unknown option ${path}.${key}${suggestion(key, Object.keys(known))}`);
  }
}

/** @throws {TypeError | RangeError} If `value` is neither absent nor an integer within the bounds. */
export function integerOption(
  path: string,
  value: number | undefined,
  bounds: IntegerBounds,
): number {
  if (value === undefined) return bounds.default;
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw new TypeError(`${path} must be an integer, got ${JSON.stringify(value)}`);
  }
  if (value < bounds.min || value > bounds.max) {
    throw new RangeError(
      `${path} must be between ${bounds.min} and ${bounds.max}, got ${String(value)}`,
    );
  }
  return value;
}

/** Returns `: did you mean "x"` for the nearest candidate within two edits, else nothing. */
export function suggestion(given: unknown, candidates: readonly string[]): string {
  const text = typeof given === "string" ? given : "";
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(text, candidate) }))
    .toSorted((left, right) => left.distance - right.distance);
  const nearest = ranked[0];
  if (nearest !== undefined && nearest.distance <= Math.max(2, text.length / 3)) {
    return `: did you mean ${JSON.stringify(nearest.candidate)}`;
  }
  return `: expected one of ${candidates.join(", ")}`;
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [index, letter] of left.toLowerCase().split("").entries()) {
    const next = [index + 1];
    for (const [column, other] of right.toLowerCase().split("").entries()) {
      const substitution = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(substitution, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
