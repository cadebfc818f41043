import { requireInteger, requireKnownKeys } from "./options.ts";

const MAX_CONCURRENCY = 1_000_000;

/** Options of `createConcurrencyLimiter`. */
export interface ConcurrencyLimiterOptions {
  /** Requests of one key that may be in progress at once. Integer from 0 to 1,000,000. */
  readonly limit: number;
}

const CONCURRENCY_KEYS = { limit: true } satisfies Record<keyof ConcurrencyLimiterOptions, true>;

/** Whether a request may begin. */
export type ConcurrencyDecision =
  | {
      readonly kind: "admitted";
      readonly limit: number;
      /** Requests of the key that may begin besides this one. */
      readonly remaining: number;
      /** Tells that the request has ended. Calls after the first do nothing. */
      release(): void;
    }
  | { readonly kind: "limited"; readonly limit: number; readonly remaining: 0 };

/** Counts what is in progress. */
export interface ConcurrencyLimiter {
  readonly limit: number;
  /**
   * Begins a request of `key`, unless `limit` of them are in progress.
   *
   * @throws {TypeError} If the key is no string.
   */
  acquire(key: string): ConcurrencyDecision;
  /** Returns the requests of `key` in progress. */
  inProgress(key: string): number;
}

/**
 * Returns a limit on the requests of a key that are in progress at once.
 *
 * Only keys with a request in progress are remembered: the memory is bounded by what the process has
 * open.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type.
 * @throws {RangeError} If `limit` is out of range.
 */
export function createConcurrencyLimiter(options: ConcurrencyLimiterOptions): ConcurrencyLimiter {
  requireKnownKeys("concurrency limiter", options, CONCURRENCY_KEYS);
  const limit = requireInteger("limit", options.limit, 0, MAX_CONCURRENCY);
  const counts = new Map<string, number>();

  function release(key: string): void {
    const count = counts.get(key)!;
    if (count === 1) counts.delete(key);
    else counts.set(key, count - 1);
  }

  return Object.freeze({
    limit,
    inProgress: (key: string) => counts.get(key) ?? 0,
    acquire(key: string): ConcurrencyDecision {
      if (typeof key !== "string") {
        throw new TypeError(`Concurrency key must be a string, got a value of type ${typeof key}`);
      }
      const count = counts.get(key) ?? 0;
      if (count >= limit) return { kind: "limited", limit, remaining: 0 };
      counts.set(key, count + 1);
      let isReleased = false;
      return {
        kind: "admitted",
        limit,
        remaining: limit - count - 1,
        release() {
          if (!isReleased) release(key);
          isReleased = true;
        },
      };
    },
  });
}
