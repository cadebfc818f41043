import { consumeAll } from "./consume-all.ts";
import type { JointDecision } from "./consume-all.ts";
import type { SharedDecision } from "./decision.ts";
import type { RateLimitError } from "./errors.ts";
import type { Eventually } from "./eventually.ts";
import { createLimiter } from "./limiter.ts";
import type { Limiter, LimiterOptions } from "./limiter.ts";
import type { LimiterMetrics } from "./metrics.ts";
import type { CompletePolicy } from "./policy.ts";
import type { SharedCharges } from "./shared-charges.ts";
import { requireSharedPolicy } from "./shared-limiter.ts";
import type { PolicyCost } from "./stand-in.ts";

/** Where the middleware charges requests: a store of this process, or one that processes share. */
export interface RequestLimits {
  /**
   * Refuses a policy that cannot be kept here.
   *
   * @throws {TypeError} If the algorithm needs another store.
   */
  require(policy: CompletePolicy): void;
  /** Decides about a request under some policies, and charges all of them or none. */
  consume(
    costs: readonly PolicyCost[],
    onUnavailable: (error: RateLimitError) => void,
  ): Eventually<JointDecision<SharedDecision>>;
  /** Charges what was incurred already. */
  charge(cost: PolicyCost): Eventually<void>;
  refund(cost: PolicyCost): Eventually<void>;
  reset(policy: CompletePolicy, key: string): Eventually<void>;
  /**
   * Blocks a key for `durationMs`, or ends its block with 0.
   *
   * @throws {TypeError} If the store cannot block.
   */
  block(policy: CompletePolicy, key: string, durationMs: number): void;
  metrics(policy: CompletePolicy): LimiterMetrics;
}

/** Returns limits over a store of this process, which answers at once. */
export function localLimits(options: LimiterOptions): RequestLimits {
  const limiters = new WeakMap<CompletePolicy, Limiter>();

  /** Limiters of one name share what keys owe, so a key keeps its debt when its limit changes. */
  function limiterOf(policy: CompletePolicy): Limiter {
    let limiter = limiters.get(policy);
    if (limiter === undefined) {
      limiter = createLimiter(policy, options);
      limiters.set(policy, limiter);
    }
    return limiter;
  }

  return {
    require: limiterOf,
    consume: (costs) =>
      consumeAll(costs.map(({ policy, key, cost }) => ({ limiter: limiterOf(policy), key, cost }))),
    charge({ policy, key, cost }) {
      limiterOf(policy).charge(key, cost);
    },
    refund({ policy, key, cost }) {
      limiterOf(policy).refund(key, cost);
    },
    reset(policy, key) {
      limiterOf(policy).reset(key);
    },
    block(policy, key, durationMs) {
      if (durationMs === 0) limiterOf(policy).unblock(key);
      else limiterOf(policy).block(key, durationMs);
    },
    metrics: (policy) => limiterOf(policy).metrics(),
  };
}

/** Returns limits over a store that processes share. */
export function sharedLimits(charges: SharedCharges): RequestLimits {
  return {
    require: requireSharedPolicy,
    consume: async (costs, onUnavailable) => charges.consume(costs, onUnavailable),
    charge: async (cost) => charges.charge([cost]),
    refund: async (cost) => charges.refund([cost]),
    reset: async (policy, key) => charges.forget(policy, key),
    block() {
      throw new TypeError('Cannot block a key in a shared store: use "deny", or a BanList');
    },
    metrics: (policy) => charges.metrics(policy),
  };
}
