import type { JointDecision } from "./consume-all.ts";
import type { SharedDecision } from "./decision.ts";
import type { RateLimitError } from "./errors.ts";
import type { LimiterMetrics } from "./metrics.ts";
import {
  quote,
  requireFunction,
  requireInteger,
  requireKnownKeys,
  requireOneOf,
} from "./options.ts";
import { parsePolicy } from "./policy.ts";
import type { CompletePolicy, RateLimitPolicy } from "./policy.ts";
import { SharedCharges } from "./shared-charges.ts";
import type { UnavailableAction } from "./shared-charges.ts";
import type { SharedStore } from "./shared-store.ts";
import { StandIn } from "./stand-in.ts";
import type { PolicyCost } from "./stand-in.ts";

/** A request about which the store gave no answer in time. */
export interface StoreUnavailableEvent {
  readonly kind: "store-unavailable";
  readonly error: RateLimitError;
  /** What was decided without the store. */
  readonly decision: SharedDecision;
}

/** Options of `createSharedLimiter`. */
export interface SharedLimiterOptions {
  /** Where debts are kept: a `RedisStore`, for instance. Closed by whoever made it. */
  readonly store: SharedStore;
  /**
   * What to decide when the store does not answer, for all policies or by policy name:
   *
   * - `"fallback"`: by a limiter of this process, for its share of the limit (see `fallback`).
   * - `"fail-closed"`: no request is admitted.
   * - `"fail-open"`: every request is admitted. For limits that protect nothing but a budget.
   *
   * @default "fallback"
   */
  readonly onUnavailable?: UnavailableAction | Readonly<Record<string, UnavailableAction>>;
  /** The limiter that stands in for the store. */
  readonly fallback?: FallbackOptions;
  /**
   * Longest wait for a store that has no `deadlineMs` of its own, as `RedisStore` has.
   * Milliseconds, integer from 1 to 60,000.
   *
   * @default 1000
   */
  readonly deadlineMs?: number;
  /**
   * Returns monotonic milliseconds, for the limiter that stands in. The store has its own clock.
   *
   * @default performance.now
   */
  readonly clock?: () => number;
  /** Is told of every request that was decided without the store. Must not throw. */
  readonly onEvent?: (event: StoreUnavailableEvent) => void;
}

export interface FallbackOptions {
  /**
   * Processes that share the limit: each of them admits this part of it. Integer from 1 to 1,000,000.
   *
   * @default 1 (the whole limit in each process)
   */
  readonly instances?: number;
}

const OPTION_KEYS = {
  store: true,
  onUnavailable: true,
  fallback: true,
  deadlineMs: true,
  clock: true,
  onEvent: true,
} satisfies Record<keyof SharedLimiterOptions, true>;
const FALLBACK_KEYS = { instances: true } satisfies Record<keyof FallbackOptions, true>;
const ACTIONS: readonly UnavailableAction[] = ["fail-open", "fail-closed", "fallback"];

/** The key of a request: one for all policies, or one for each of them by its name. */
export type SharedKey = string | Readonly<Record<string, string>>;

/** Decides about requests by key, together with other processes. */
export interface SharedLimiter {
  /** The policies in force, complete with their defaults. */
  readonly policies: readonly CompletePolicy[];
  /**
   * Decides about a request and charges it to all policies, or to none when one of them refuses.
   * `cost` is an integer >= 0; 0 only looks, as `peek(key)` does.
   *
   * Rejects with TypeError or RangeError for a key or cost of the wrong kind, and with what the store
   * rejects with when that is not about being unavailable: RateLimitError
   * ERR_RATE_LIMIT_STORE_REFUSED of `RedisStore`. Being unavailable is a decision.
   */
  consume(key: SharedKey, cost?: number): Promise<JointDecision<SharedDecision>>;
  /** Returns what `consume(key, cost)` would decide, except that nothing is charged. */
  peek(key: SharedKey, cost?: number): Promise<JointDecision<SharedDecision>>;
  /**
   * Charges a cost that has been incurred already, without deciding: what is beyond the burst is
   * forgiven. Rejects with RateLimitError when the store does not answer.
   */
  charge(key: SharedKey, cost: number): Promise<void>;
  /** Gives back a cost that was charged, never below no debt. Rejects as `charge` does. */
  refund(key: SharedKey, cost?: number): Promise<void>;
  /** Cancels what `key` owes under every policy. Rejects as `charge` does. */
  reset(key: SharedKey): Promise<void>;
  /** Returns the decisions of this process so far, for each policy. */
  metrics(): readonly LimiterMetrics[];
}

/**
 * Returns a limiter whose debts are in a store that processes share, for one policy or for several
 * that are charged all or not at all.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type, two policies have one name, or
 * one has another algorithm than GCRA.
 * @throws {RangeError} If a number is out of range.
 */
export function createSharedLimiter(
  policies: RateLimitPolicy | readonly RateLimitPolicy[],
  options: SharedLimiterOptions,
): SharedLimiter {
  const list: readonly RateLimitPolicy[] = Array.isArray(policies) ? policies : [policies];
  const complete = Object.freeze(list.map(parsePolicy));
  requirePolicies(complete);
  const charges = createSharedCharges(complete, options);

  function groupOf(key: unknown, cost: number): PolicyCost[] {
    const wanted = `"cost" must be an integer >= 0, got ${quote(cost)}`;
    if (typeof cost !== "number") throw new TypeError(wanted);
    if (!Number.isInteger(cost) || cost < 0) throw new RangeError(wanted);
    return complete.map((policy) => ({ policy, key: keyFor(policy, key), cost }));
  }

  return Object.freeze({
    policies: complete,
    consume(key: SharedKey, cost = 1) {
      // Not an async function: it would cost every decision three turns of the queue of microtasks.
      try {
        return charges.consume(groupOf(key, cost));
      } catch (error) {
        return Promise.reject(error);
      }
    },
    peek: async (key: SharedKey, cost = 1) => charges.peek(groupOf(key, cost)),
    charge: async (key: SharedKey, cost: number) => charges.charge(groupOf(key, cost)),
    refund: async (key: SharedKey, cost = 1) => charges.refund(groupOf(key, cost)),
    reset: async (key: SharedKey) => {
      await Promise.all(
        groupOf(key, 0).map(async (entry) => charges.forget(entry.policy, entry.key)),
      );
    },
    metrics: () => complete.map((policy) => charges.metrics(policy)),
  });
}

/** Returns what charges policies of the given names, which may change their numbers later. */
export function createSharedCharges(
  policies: readonly Pick<CompletePolicy, "name">[],
  options: SharedLimiterOptions,
): SharedCharges {
  requireKnownKeys("shared limiter", options, OPTION_KEYS);
  requireFunction("clock", options.clock);
  requireFunction("onEvent", options.onEvent);
  const { fallback = {}, onEvent } = options;
  requireKnownKeys("fallback", fallback, FALLBACK_KEYS);
  const instances = requireInteger("fallback.instances", fallback.instances ?? 1, 1, 1_000_000);
  const actions = parseActions(options.onUnavailable ?? "fallback", policies);
  const clock = options.clock ?? (() => performance.now());
  return new SharedCharges({
    store: requireStore(options.store),
    deadlineMs: requireInteger("deadlineMs", options.deadlineMs ?? 1000, 1, 60_000),
    actionOf: (name) => actions.get(name) ?? "fallback",
    standIn: [...actions.values()].includes("fallback") ? new StandIn(instances, clock) : undefined,
    onUnavailable: (error, decision) => {
      onEvent?.({ kind: "store-unavailable", error, decision });
    },
  });
}

function requirePolicies(policies: readonly CompletePolicy[]): void {
  if (policies.length === 0) throw new TypeError("Shared limiter needs at least one policy");
  const names = new Set<string>();
  for (const policy of policies) {
    const { name } = policy;
    if (names.has(name)) throw new TypeError(`Two policies have the name ${quote(name)}`);
    names.add(name);
    requireSharedPolicy(policy);
  }
}

/** @throws {TypeError} If a policy has an algorithm that needs more than a debt. */
export function requireSharedPolicy({ name, algorithm }: CompletePolicy): void {
  if (algorithm === "gcra") return;
  throw new TypeError(
    `"algorithm" must be "gcra" in a shared store, got "${algorithm}" for the policy ${quote(name)}`,
  );
}

function parseActions(
  option: unknown,
  policies: readonly Pick<CompletePolicy, "name">[],
): Map<string, UnavailableAction> {
  if (typeof option !== "object" || option === null) {
    const action = requireOneOf("onUnavailable", option, ACTIONS);
    return new Map(policies.map(({ name }) => [name, action]));
  }
  const known = Object.fromEntries(policies.map(({ name }) => [name, true as const]));
  requireKnownKeys("onUnavailable", option, known);
  const byName = new Map<string, unknown>(Object.entries(option));
  return new Map(
    policies.map(({ name }) => {
      const action = byName.get(name) ?? "fallback";
      return [name, requireOneOf(`onUnavailable.${name}`, action, ACTIONS)];
    }),
  );
}

function requireStore(store: SharedStore): SharedStore {
  if (isSharedStore(store)) return store;
  throw new TypeError(`"store" must be a SharedStore, got a value of type ${typeof store}`);
}

/** Tells the stores that processes share from those of one process, which have a `ledger`. */
export function isSharedStore(store: unknown): store is SharedStore {
  return (
    typeof store === "object" &&
    store !== null &&
    ["charge", "refund", "forget"].every((name) => typeof Reflect.get(store, name) === "function")
  );
}

function keyFor({ name }: CompletePolicy, key: unknown): string {
  const value: unknown =
    typeof key === "object" && key !== null && Object.hasOwn(key, name)
      ? Reflect.get(key, name)
      : key;
  if (typeof value === "string") return value;
  throw new TypeError(
    `Rate limit key for the policy ${quote(name)} must be a string, got a value of type ${typeof value}`,
  );
}
