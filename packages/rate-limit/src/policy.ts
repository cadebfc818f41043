import { intervalTicks, TICKS_PER_MS } from "./gcra.ts";
import { quote, requireInteger, requireKnownKeys } from "./options.ts";

const DAY_MS = 86_400_000;
const MAX_WINDOW_MS: number = 366 * DAY_MS;
const MAX_LIMIT = 1_000_000_000;

/** How much one key may use, and how fast it earns it back. */
export interface RateLimitPolicy {
  /**
   * Name of the policy in header fields, problem details and shared stores.
   * Printable ASCII, 1 to 64 characters.
   *
   * @default "default"
   */
  readonly name?: string;
  /**
   * Requests earned per window. Integer from 0 to 1,000,000,000; 0 refuses every request.
   */
  readonly limit: number;
  /** Length of the window. Milliseconds, integer from 1 to 31,622,400,000 (366 days). */
  readonly windowMs: number;
  /**
   * Requests that an idle key may make at once. Integer from 1 to 1,000,000,000, and no more than
   * 366 days of the rate. In any period of `t` ms a key is admitted at most
   * `burst + t * limit / windowMs` times: with the default, up to twice the limit in one window.
   *
   * @default the same as `limit`
   */
  readonly burst?: number;
}

const POLICY_KEYS = {
  name: true,
  limit: true,
  windowMs: true,
  burst: true,
} satisfies Record<keyof RateLimitPolicy, true>;

/** Returns `windowMs` when it is a usable window; shared with `parseRate`. */
export function requireWindowMs(path: string, value: unknown): number {
  return requireInteger(path, value, 1, MAX_WINDOW_MS);
}

/** Returns `limit` when it is a usable limit; shared with `parseRate`. */
export function requireLimit(path: string, value: unknown): number {
  return requireInteger(path, value, 0, MAX_LIMIT);
}

/**
 * Returns the complete, frozen form of a policy.
 *
 * @throws {TypeError} If a key is unknown or a value has the wrong type.
 * @throws {RangeError} If a number is out of range.
 */
export function parsePolicy(policy: RateLimitPolicy): Required<RateLimitPolicy> {
  requireKnownKeys("rate limit policy", policy, POLICY_KEYS);
  const name = requireName(policy.name ?? "default");
  const limit = requireLimit("limit", policy.limit);
  const windowMs = requireWindowMs("windowMs", policy.windowMs);
  const burst = requireBurst(policy.burst ?? limit, limit, windowMs);
  return Object.freeze({ name, limit, windowMs, burst });
}

function requireBurst(value: unknown, limit: number, windowMs: number): number {
  if (limit === 0) return requireInteger("burst", value, 0, 0);
  const burst = requireInteger("burst", value, 1, MAX_LIMIT);
  const drainMs = (burst * intervalTicks(limit, windowMs)) / TICKS_PER_MS;
  // The interval is rounded up to a tick, so a year-long window with burst = limit needs the slack.
  if (burst > limit && drainMs > MAX_WINDOW_MS) {
    throw new RangeError(
      `"burst" must be earned back within 366 days, got ${burst} at ${limit} per ${windowMs} ms`,
    );
  }
  return burst;
}

function requireName(name: unknown): string {
  if (typeof name !== "string") {
    throw new TypeError(`"name" must be a string, got ${quote(name)}`);
  }
  // RFC 9651 section 3.3.3: a String holds only %x20-7E; anything else would break the whole field.
  if (!/^[\x20-\x7e]{1,64}$/.test(name)) {
    throw new RangeError(
      `"name" must be 1 to 64 printable ASCII characters, got ${JSON.stringify(name)}`,
    );
  }
  return name;
}
