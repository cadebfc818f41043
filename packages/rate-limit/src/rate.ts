import { quote } from "./options.ts";
import { requireLimit, requireWindowMs } from "./policy.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Returns the limit and window of a rate in words: `"100/1m"`, `"10/s"`, `"5/15m"`.
 * Units are ms, s, m, h and d.
 *
 * @throws {TypeError} If `text` is no string.
 * @throws {SyntaxError} If it has another form.
 * @throws {RangeError} If the limit or the window is out of the bounds of a policy.
 */
export function parseRate(text: string): { limit: number; windowMs: number } {
  if (typeof text !== "string") {
    throw new TypeError(`Cannot parse rate: expected a string, got ${quote(text)}`);
  }
  const match = /^(\d+)\/(\d*)(ms|[smhd])$/.exec(text);
  if (match === null) {
    throw new SyntaxError(
      `Cannot parse rate ${quote(text)}: expected requests per window, such as "100/1m" or "10/s"`,
    );
  }
  const [, limit, count, unit] = match;
  return {
    limit: requireLimit("limit", Number(limit)),
    windowMs: requireWindowMs("windowMs", Number(count || 1) * UNIT_MS[unit!]!),
  };
}
