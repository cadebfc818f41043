import type { AdmittedDecision, Decision, LimitedDecision } from "./decision.ts";
import { intervalTicks, TICKS_PER_MS, ticksAt } from "./gcra.ts";
import { MemoryStore } from "./memory-store.ts";
import { quote, requireFunction, requireKnownKeys } from "./options.ts";
import { parsePolicy } from "./policy.ts";
import type { RateLimitPolicy } from "./policy.ts";
import type { Store } from "./store.ts";

// 2^53 ticks less the longest debt of 366 days: up to here clock plus debt is exact.
const MAX_CLOCK_MS = Number.MAX_SAFE_INTEGER / TICKS_PER_MS - 366 * 86_400_000;

/** Options of `createLimiter`. */
export interface LimiterOptions {
  /**
   * Where debts are kept. Limiters that share a store need different policy names, unless they are
   * meant to share their keys' debts.
   *
   * @default a new MemoryStore of 131,072 slots
   */
  readonly store?: Store;
  /**
   * Returns milliseconds from a fixed, recent origin; must not go back. `Date.now` is refused: it
   * jumps whenever the clock of the machine is set.
   *
   * @default performance.now
   */
  readonly clock?: () => number;
}

const LIMITER_KEYS = { store: true, clock: true } satisfies Record<keyof LimiterOptions, true>;

/** Decides about requests by key. Synchronous; holds no timer. */
export interface Limiter {
  /** The policy in force, complete with its defaults. */
  readonly policy: Required<RateLimitPolicy>;
  /**
   * Decides about a request of `key` and charges it when admitted.
   * `cost` is an integer >= 0; 0 only looks, as `peek` does.
   *
   * @throws {TypeError} If the key is no string or the cost no number.
   * @throws {RangeError} If the cost is negative, fractional or not finite.
   */
  consume(key: string, cost?: number): Decision;
  /** Returns what `consume(key)` would decide, except that nothing is charged. */
  peek(key: string): Decision;
  /** Cancels what `key` owes. */
  reset(key: string): void;
}

/**
 * Returns a limiter for one policy: the generic cell rate algorithm (GCRA) over a store.
 *
 * An idle key may make `burst` requests at once; after that one request is earned back every
 * `windowMs / limit` ms. In any `t` ms a key is admitted at most `burst + t * limit / windowMs`
 * times. Refused requests cost nothing.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type.
 * @throws {RangeError} If a number is out of range, or the clock counts from too long ago.
 */
export function createLimiter(policy: RateLimitPolicy, options: LimiterOptions = {}): Limiter {
  const complete = parsePolicy(policy);
  requireKnownKeys("limiter", options, LIMITER_KEYS);
  const clock = requireClock(options.clock);
  const ledger = (options.store ?? new MemoryStore()).ledger(complete.name);
  const { limit, burst } = complete;
  const interval = intervalTicks(limit, complete.windowMs);
  const capacity = limit === 0 ? 0 : burst * interval;

  /** Debt with the cost added; an answer that no store may give (NaN, negative) counts as a full debt. */
  function charge(key: string, cost: number): number {
    const debt = ledger.charge(key, cost, capacity, ticksAt(clock()));
    return debt >= cost && debt <= capacity + cost ? debt : capacity + cost;
  }

  function admitted(debt: number): AdmittedDecision {
    const remaining = Math.floor((capacity - debt) / interval);
    return { kind: "admitted", limit, remaining, resetMs: debt / TICKS_PER_MS, delayMs: 0 };
  }

  function limited(debt: number, waitTicks: number): LimitedDecision {
    const remaining = Math.floor((capacity - debt) / interval);
    const retryAfterMs = waitTicks / TICKS_PER_MS;
    return { kind: "limited", limit, remaining, resetMs: debt / TICKS_PER_MS, retryAfterMs };
  }

  function peek(key: string): Decision {
    requireKey(key);
    const debt = charge(key, 0);
    const wait = debt + interval - capacity;
    return wait > 0 ? limited(debt, wait) : admitted(debt);
  }

  function consume(key: string, cost = 1): Decision {
    requireKey(key);
    requireCost(cost);
    if (cost === 0) return peek(key);
    if (cost > burst) return limited(charge(key, 0), Infinity);
    const debt = charge(key, cost * interval);
    return debt > capacity ? limited(debt - cost * interval, debt - capacity) : admitted(debt);
  }

  function reset(key: string): void {
    requireKey(key);
    ledger.forget(key);
  }

  return Object.freeze({ policy: complete, consume, peek, reset });
}

function requireKey(key: unknown): void {
  if (typeof key === "string") return;
  throw new TypeError(`Rate limit key must be a string, got a value of type ${typeof key}`);
}

function requireCost(cost: unknown): void {
  const wanted = `"cost" must be an integer >= 0, got ${quote(cost)}`;
  if (typeof cost !== "number") throw new TypeError(wanted);
  if (!Number.isInteger(cost) || cost < 0) throw new RangeError(wanted);
}

function requireClock(clock: (() => number) | undefined): () => number {
  requireFunction("clock", clock);
  if (clock === undefined) return () => performance.now();
  const reading = clock();
  if (reading >= 0 && reading <= MAX_CLOCK_MS) return clock;
  throw new RangeError(
    `"clock" must count milliseconds from a recent origin such as the start of the process, got ${reading}`,
  );
}
