import type { Decision, LimitedDecision } from "./decision.ts";
import { fixedWindow } from "./fixed-window.ts";
import { TICKS_PER_MS } from "./gcra.ts";
import type { MemoryStore } from "./memory-store.ts";
import { recordTable } from "./memory-store.ts";
import type { Meter } from "./meter.ts";
import type { CompletePolicy, RateLimitAlgorithm } from "./policy.ts";
import { MAX_LOG_LENGTH, slidingLog } from "./sliding-log.ts";
import { subBuckets } from "./sub-buckets.ts";
import type { WindowCount } from "./window-count.ts";

type WindowAlgorithm = Exclude<RateLimitAlgorithm, "gcra">;

const COUNTS: Record<WindowAlgorithm, (windowTicks: number, limit: number) => WindowCount> = {
  "fixed-window": fixedWindow,
  "sliding-log": (windowTicks, limit) => slidingLog(windowTicks, logLength(limit)),
  "sub-buckets": subBuckets,
};

/** Steps, so that most changes of a limit leave the records as they are. */
function logLength(limit: number): number {
  return Math.min(8 * 2 ** Math.ceil(Math.log2(Math.max(limit / 8, 1))), MAX_LOG_LENGTH);
}

/**
 * Returns the meter of a policy that counts per window. A record of the table is the end of the
 * key's block, then the record of the algorithm.
 */
export function windowMeter(
  policy: CompletePolicy,
  algorithm: WindowAlgorithm,
  store: MemoryStore,
): Meter {
  const { limit } = policy;
  const count = COUNTS[algorithm](policy.windowMs * TICKS_PER_MS, limit);
  const table = recordTable(store, `${algorithm} ${policy.name}`, 1 + count.width);

  function usedAt(at: number, now: number): number {
    return at === -1 ? 0 : count.used(table.numbers, at + 1, now);
  }

  function open(key: string, now: number): number {
    return table.open(key, (at) =>
      table.numbers[at]! > now ? Infinity : count.used(table.numbers, at + 1, now),
    );
  }

  function msUntil(at: number, allowed: number, now: number): number {
    const time = at === -1 ? 0 : count.fallsTo(table.numbers, at + 1, allowed);
    return Math.max(time - now, 0) / TICKS_PER_MS;
  }

  function decide(at: number, cost: number, now: number): Decision {
    const blockTicks = at === -1 ? 0 : table.numbers[at]! - now;
    if (blockTicks > 0) return blocked(blockTicks / TICKS_PER_MS, cost);
    const used = usedAt(at, now);
    const remaining = Math.max(limit - used, 0);
    const resetMs = msUntil(at, 0, now);
    if (cost <= remaining) return { kind: "admitted", limit, remaining, resetMs, delayMs: 0 };
    const retryAfterMs = cost > limit ? Infinity : msUntil(at, limit - cost, now);
    return { kind: "limited", limit, remaining, resetMs, retryAfterMs };
  }

  function blocked(resetMs: number, cost: number): LimitedDecision {
    const retryAfterMs = cost > limit ? Infinity : resetMs;
    return { kind: "limited", limit, remaining: 0, resetMs, retryAfterMs };
  }

  function add(key: string, cost: number, now: number): number {
    const at = open(key, now);
    usedAt(at, now);
    count.add(table.numbers, at + 1, cost, now);
    return at;
  }

  return {
    peek: (key, cost, now) => decide(table.find(key), cost, now),

    consume(key, cost, now) {
      const decision = decide(table.find(key), cost, now);
      if (decision.kind === "limited") return decision;
      const at = add(key, cost, now);
      return {
        ...decision,
        remaining: decision.remaining - cost,
        resetMs: msUntil(at, 0, now),
      };
    },

    charge(key, cost, now) {
      const { kind, remaining } = decide(table.find(key), 1, now);
      if (kind === "admitted") add(key, Math.min(cost, remaining), now);
    },

    refund(key, cost, now) {
      const at = table.find(key);
      if (at === -1) return;
      usedAt(at, now);
      count.remove(table.numbers, at + 1, cost);
    },

    block(key, duration, now) {
      const at = duration === 0 ? table.find(key) : open(key, now);
      if (at === -1 || (duration === 0 && table.numbers[at]! <= now)) return;
      table.numbers.fill(0, at, at + 1 + count.width);
      if (duration > 0) table.numbers[at] = now + duration;
    },

    forget(key) {
      const at = table.find(key);
      if (at !== -1) table.numbers.fill(0, at, at + 1 + count.width);
    },
  };
}
