import { intervalTicks, TICKS_PER_MS } from "./gcra.ts";
import {
  quote,
  requireBoolean,
  requireInteger,
  requireKnownKeys,
  requireOneOf,
} from "./options.ts";
import { MAX_LOG_LENGTH } from "./sliding-log.ts";

const DAY_MS = 86_400_000;
/** The longest window, block or debt. Milliseconds. */
export const MAX_WINDOW_MS: number = 366 * DAY_MS;
/** The longest wait of a delayed request: far more than clients are willing to. */
const MAX_DELAY_MS = 3_600_000;
const MAX_LIMIT = 1_000_000_000;

/** How the requests of a key are counted. */
export type RateLimitAlgorithm = "gcra" | "fixed-window" | "sliding-log" | "sub-buckets";

const ALGORITHMS: readonly RateLimitAlgorithm[] = [
  "gcra",
  "fixed-window",
  "sliding-log",
  "sub-buckets",
];

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
   * How requests are counted, and so what is promised. Admitted at most, per key:
   *
   * - `"gcra"`: `burst + t * limit / windowMs` in any `t` ms. Earned back evenly; 16 bytes a key.
   * - `"fixed-window"`: `limit` in a window that begins with the first request, so twice the limit
   *   around its end. As express-rate-limit counts; 32 bytes a key.
   * - `"sliding-log"`: `limit` in any window, and never less. Limits up to 64; 24 bytes a key and 8
   *   for each request of the limit.
   * - `"sub-buckets"`: `limit` in any window. Ten steps to a window; a request counts until up to a
   *   tenth of the window longer than it must. 120 bytes a key.
   *
   * All but the first count in a `MemoryStore` only.
   *
   * @default "gcra"
   */
  readonly algorithm?: RateLimitAlgorithm;
  /**
   * Requests that an idle key may make at once. Integer from 1 to 1,000,000,000, and no more than
   * 366 days of the rate. In any period of `t` ms a key is admitted at most
   * `burst + t * limit / windowMs` times: with the default, up to twice the limit in one window.
   * Of `"gcra"` only.
   *
   * @default the same as `limit`; with `strict` a fifth of it
   */
  readonly burst?: number;
  /**
   * Holds the key to `limit` in any window, burst and all: it earns back `limit - burst + 1` per
   * window instead of `limit`. Of `"gcra"` only; `burst` is then at most `limit`.
   *
   * @default false
   */
  readonly strict?: boolean;
  /**
   * Requests of a burst that proceed at once; those after them are admitted too, and wait until they
   * are earned. Integer from 1 to `burst`; no request
   * may wait longer than an hour. Of `"gcra"` only. In the words of nginx, `burst=20`
   * is a `burst` of 21 and a `delayAfter` of 1, `delay=8` a `delayAfter` of 9, and `nodelay` none.
   *
   * @default the same as `burst`: no request waits
   */
  readonly delayAfter?: number;
}

/** A policy with its defaults filled in. */
export type CompletePolicy = Readonly<Required<RateLimitPolicy>>;

/** The known keys of a policy, for options that extend it. */
export const POLICY_KEYS: Readonly<Record<keyof RateLimitPolicy, true>> = {
  name: true,
  limit: true,
  windowMs: true,
  algorithm: true,
  burst: true,
  strict: true,
  delayAfter: true,
};

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
 * @throws {TypeError} If a key is unknown, a value has the wrong type, or an option does not go with
 * the algorithm.
 * @throws {RangeError} If a number is out of range.
 */
export function parsePolicy(policy: RateLimitPolicy): CompletePolicy {
  requireKnownKeys("rate limit policy", policy, POLICY_KEYS);
  const name = requireName(policy.name ?? "default");
  const limit = requireLimit("limit", policy.limit);
  const windowMs = requireWindowMs("windowMs", policy.windowMs);
  const algorithm = requireOneOf("algorithm", policy.algorithm ?? "gcra", ALGORITHMS);
  if (algorithm !== "gcra") {
    refuseGcraOptions(policy, algorithm);
    if (algorithm === "sliding-log") requireInteger("limit", limit, 0, MAX_LOG_LENGTH);
    return Object.freeze({
      name,
      limit,
      windowMs,
      algorithm,
      burst: limit,
      strict: false,
      delayAfter: limit,
    });
  }
  const strict = requireBoolean("strict", policy.strict ?? false);
  const burst = requireBurst(policy.burst ?? usualBurst(limit, strict), {
    limit,
    windowMs,
    strict,
  });
  const delayAfter = requireDelayAfter(policy.delayAfter, { limit, windowMs, burst, strict });
  return Object.freeze({ name, limit, windowMs, algorithm, burst, strict, delayAfter });
}

/** Returns the burst of a policy that names none. */
export function usualBurst(limit: number, strict: boolean): number {
  return strict ? Math.ceil(limit / 5) : limit;
}

/**
 * Returns the debt of one request under a policy, in ticks.
 *
 * A strict policy earns `limit - burst + 1` per window: two requests of one half-open window are less
 * than that window apart, so after a burst at most `limit - burst` more fit into it.
 */
export function policyInterval(
  policy: Pick<CompletePolicy, "limit" | "windowMs" | "burst" | "strict">,
): number {
  const { limit, windowMs, burst, strict } = policy;
  return intervalTicks(strict && limit > 0 ? limit - burst + 1 : limit, windowMs);
}

function requireBurst(
  value: unknown,
  { limit, windowMs, strict }: { limit: number; windowMs: number; strict: boolean },
): number {
  if (limit === 0) return requireInteger("burst", value, 0, 0);
  const burst = requireInteger("burst", value, 1, strict ? limit : MAX_LIMIT);
  const drainMs = (burst * policyInterval({ limit, windowMs, burst, strict })) / TICKS_PER_MS;
  // The interval is rounded up to a tick, so a year-long window with burst = limit needs the slack.
  if ((burst > limit || strict) && drainMs > MAX_WINDOW_MS) {
    throw new RangeError(
      `"burst" must be earned back within 366 days, got ${burst} at ${limit} per ${windowMs} ms`,
    );
  }
  return burst;
}

function requireDelayAfter(
  value: unknown,
  policy: Pick<CompletePolicy, "limit" | "windowMs" | "burst" | "strict">,
): number {
  const { burst } = policy;
  const delayAfter = requireInteger("delayAfter", value ?? burst, Math.min(1, burst), burst);
  if (delayAfter === burst) return delayAfter;
  const longestWaitMs = ((burst - delayAfter) * policyInterval(policy)) / TICKS_PER_MS;
  if (longestWaitMs <= MAX_DELAY_MS) return delayAfter;
  throw new RangeError(
    `"delayAfter" must let no request wait longer than an hour, got ${delayAfter} of a burst of ${burst}`,
  );
}

function refuseGcraOptions(policy: RateLimitPolicy, algorithm: RateLimitAlgorithm): void {
  for (const option of ["burst", "strict", "delayAfter"] as const) {
    if (policy[option] === undefined) continue;
    throw new TypeError(
      `"${option}" goes with the algorithm "gcra" only, got it with "${algorithm}"`,
    );
  }
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
