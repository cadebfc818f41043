import type { AdmittedDecision, Decision, LimitedDecision } from "./decision.ts";
import { TICKS_PER_MS } from "./gcra.ts";
import type { Meter } from "./meter.ts";
import { policyInterval } from "./policy.ts";
import type { CompletePolicy } from "./policy.ts";
import type { Ledger } from "./store.ts";

/** Returns the meter of a policy under the generic cell rate algorithm (GCRA). */
export function gcraMeter(policy: CompletePolicy, ledger: Ledger): Meter {
  const { limit, burst } = policy;
  const interval = policyInterval(policy);
  const capacity = limit === 0 ? 0 : burst * interval;
  const freeDebt = limit === 0 ? 0 : policy.delayAfter * interval;

  /** Debt with the cost added; an answer that no store may give (NaN, negative) counts as a full debt. */
  function charge(key: string, cost: number, now: number): number {
    const debt = ledger.charge(key, cost, capacity, now);
    return debt >= cost && debt < Infinity ? debt : capacity + cost;
  }

  function admitted(debt: number, debtWithCost: number): AdmittedDecision {
    return {
      kind: "admitted",
      limit,
      remaining: Math.floor((capacity - debt) / interval),
      resetMs: debt / TICKS_PER_MS,
      delayMs: debtWithCost > freeDebt ? (debtWithCost - freeDebt) / TICKS_PER_MS : 0,
    };
  }

  function limited(debt: number, waitTicks: number): LimitedDecision {
    const remaining = Math.floor((capacity - debt) / interval);
    const retryAfterMs = waitTicks / TICKS_PER_MS;
    return { kind: "limited", limit, remaining, resetMs: debt / TICKS_PER_MS, retryAfterMs };
  }

  function blocked(ticks: number, cost: number): LimitedDecision {
    const resetMs = ticks / TICKS_PER_MS;
    const retryAfterMs = cost > burst ? Infinity : resetMs;
    return { kind: "limited", limit, remaining: 0, resetMs, retryAfterMs };
  }

  function peek(key: string, cost: number, now: number): Decision {
    const debt = charge(key, 0, now);
    if (debt > capacity) return blocked(debt - capacity, cost);
    if (cost > burst) return limited(debt, Infinity);
    const debtWithCost = debt + cost * interval;
    if (debtWithCost > capacity) return limited(debt, debtWithCost - capacity);
    return admitted(debt, debtWithCost);
  }

  return {
    peek,

    consume(key, cost, now) {
      if (cost > burst) return peek(key, cost, now);
      const costTicks = cost * interval;
      const debt = charge(key, costTicks, now);
      if (debt <= capacity) return admitted(debt, debt);
      if (debt > capacity + costTicks) return blocked(debt - capacity - costTicks, cost);
      return limited(debt - costTicks, debt - capacity);
    },

    charge(key, cost, now) {
      const costTicks = Math.min(cost * interval, capacity);
      const debt = charge(key, costTicks, now);
      if (debt <= capacity || debt > capacity + costTicks) return;
      const room = capacity + costTicks - debt;
      if (room > 0) charge(key, room, now);
    },

    refund(key, cost, now) {
      ledger.refund(key, Math.min(cost * interval, capacity), now);
    },

    block(key, duration, now) {
      ledger.block(key, duration, now);
    },

    forget(key) {
      ledger.forget(key);
    },
  };
}
