import { performance } from "node:perf_hooks";
import type { Decision } from "./decision.ts";
import { TICKS_PER_MS, ticksAt } from "./gcra.ts";
import { gcraMeter } from "./gcra-meter.ts";
import { MemoryStore } from "./memory-store.ts";
import type { Meter } from "./meter.ts";
import type { LimiterMetrics } from "./metrics.ts";
import { quote, requireFunction, requireInteger, requireKnownKeys } from "./options.ts";
import { MAX_WINDOW_MS, parsePolicy } from "./policy.ts";
import type { CompletePolicy, RateLimitPolicy } from "./policy.ts";
import type { Store } from "./store.ts";
import { windowMeter } from "./window-meter.ts";

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
  readonly policy: CompletePolicy;
  /**
   * Decides about a request of `key` and charges it when admitted.
   * `cost` is an integer >= 0; 0 only looks, as `peek(key)` does.
   *
   * @throws {TypeError} If the key is no string or the cost no number.
   * @throws {RangeError} If the cost is negative, fractional or not finite.
   */
  consume(key: string, cost?: number): Decision;
  /** Returns what `consume(key, cost)` would decide, except that nothing is charged. */
  peek(key: string, cost?: number): Decision;
  /**
   * Charges a cost that has been incurred already, without deciding: what is beyond the burst is
   * forgiven. For a request that turned out to cost more than it was charged.
   */
  charge(key: string, cost: number): void;
  /**
   * Gives back a cost that was charged, never below no debt. For a request that turned out to cost
   * less than it was charged.
   */
  refund(key: string, cost?: number): void;
  /**
   * Refuses every request of `key` for `durationMs`, in place of what it owes: afterwards it owes
   * nothing. Milliseconds, integer from 1 to 366 days; replaces an earlier block.
   */
  block(key: string, durationMs: number): void;
  /** Ends a block. A key that is not blocked keeps its debt. */
  unblock(key: string): void;
  /** Cancels what `key` owes, and its block. */
  reset(key: string): void;
  /** Returns the decisions so far, by kind. */
  metrics(): LimiterMetrics;
}

/**
 * Returns a limiter for one policy over a store.
 *
 * Under the default algorithm (GCRA) an idle key may make `burst` requests at once; after that one
 * request is earned back every `windowMs / limit` ms. In any `t` ms a key is admitted at most
 * `burst + t * limit / windowMs` times. Refused requests cost nothing.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type, or the store is no MemoryStore
 * and the algorithm needs one.
 * @throws {RangeError} If a number is out of range, or the clock counts from too long ago.
 */
export function createLimiter(policy: RateLimitPolicy, options: LimiterOptions = {}): Limiter {
  const complete = parsePolicy(policy);
  requireKnownKeys("limiter", options, LIMITER_KEYS);
  const clock = requireClock(options.clock);
  const store = options.store ?? new MemoryStore();
  const meter = meterOf(complete, store);
  let admitted = 0;
  let limited = 0;

  function peek(key: string, cost = 1): Decision {
    requireKey(key);
    requireCost(cost);
    return meter.peek(key, cost || 1, ticksAt(clock()));
  }

  function consume(key: string, cost = 1): Decision {
    requireKey(key);
    requireCost(cost);
    if (cost === 0) return peek(key);
    const decision = meter.consume(key, cost, ticksAt(clock()));
    if (decision.kind === "admitted") admitted++;
    else limited++;
    return decision;
  }

  return Object.freeze({
    policy: complete,
    consume,
    peek,
    charge(key: string, cost: number) {
      requireKey(key);
      requireCost(cost);
      if (cost > 0) meter.charge(key, cost, ticksAt(clock()));
    },
    refund(key: string, cost = 1) {
      requireKey(key);
      requireCost(cost);
      if (cost > 0) meter.refund(key, cost, ticksAt(clock()));
    },
    block(key: string, durationMs: number) {
      requireKey(key);
      const duration = requireInteger("durationMs", durationMs, 1, MAX_WINDOW_MS);
      meter.block(key, duration * TICKS_PER_MS, ticksAt(clock()));
    },
    unblock(key: string) {
      requireKey(key);
      meter.block(key, 0, ticksAt(clock()));
    },
    reset(key: string) {
      requireKey(key);
      meter.forget(key);
    },
    metrics: () => ({
      policyName: complete.name,
      admitted,
      limited,
      ...tableOccupancy(complete, store),
    }),
  });
}

function meterOf(policy: CompletePolicy, store: Store): Meter {
  if (policy.algorithm === "gcra") return gcraMeter(policy, store.ledger(policy.name));
  if (store instanceof MemoryStore) return windowMeter(policy, policy.algorithm, store);
  throw new TypeError(`"store" must be a MemoryStore for the algorithm "${policy.algorithm}"`);
}

function requireKey(key: unknown): void {
  if (typeof key === "string") return;
  throw new TypeError(`Rate limit key must be a string, got a value of type ${typeof key}`);
}

function requireCost(cost: unknown): void {
  if (Number.isInteger(cost) && Number(cost) >= 0) return;
  const wanted = `"cost" must be an integer >= 0, got ${quote(cost)}`;
  throw typeof cost === "number" ? new RangeError(wanted) : new TypeError(wanted);
}

/** Returns the state of the table in which a policy keeps its debts, as far as it is known. */
function tableOccupancy(
  { algorithm }: CompletePolicy,
  store: Store,
): Pick<LimiterMetrics, "table"> {
  if (algorithm !== "gcra" || !(store instanceof MemoryStore)) return {};
  return { table: { occupied: store.occupied(), capacity: store.capacity } };
}

/** Returns the clock when it is usable, or that of the process. */
export function requireClock(clock: (() => number) | undefined): () => number {
  requireFunction("clock", clock);
  if (clock === undefined) return () => performance.now();
  const reading = clock();
  if (reading >= 0 && reading <= MAX_CLOCK_MS) return clock;
  throw new RangeError(
    `"clock" must count milliseconds from a recent origin such as the start of the process, got ${reading}`,
  );
}
