/**
 * Returns one key for several parts, such as a user and a route. Different parts never give the same
 * key, whatever they hold: joined with a separator, `"a_b"` and `"c"` would be `"a"` and `"b_c"`.
 *
 * @throws {TypeError} If a part is no string.
 */
export function compositeKey(...parts: readonly string[]): string {
  return parts.map(withLength).join("");
}

function withLength(part: string): string {
  if (typeof part === "string") return `${part.length}:${part}`;
  throw new TypeError(`Key part must be a string, got a value of type ${typeof part}`);
}
