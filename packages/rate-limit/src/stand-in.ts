import type { Decision } from "./decision.ts";
import { TICKS_PER_MS, ticksAt } from "./gcra.ts";
import { MemoryStore } from "./memory-store.ts";
import { MAX_WINDOW_MS, policyInterval } from "./policy.ts";
import type { CompletePolicy } from "./policy.ts";
import type { Ledger } from "./store.ts";

const MAX_DEBT = MAX_WINDOW_MS * TICKS_PER_MS;

/** What one request costs under one policy; checked. */
export interface PolicyCost {
  readonly policy: CompletePolicy;
  readonly key: string;
  readonly cost: number;
}

/**
 * Decides while the store that processes share does not answer, in one of several processes.
 *
 * Every request counts as many times as there are processes, as if all had admitted it: so each of
 * them admits its share, at the rate of the policy divided by their number. A key that owes nothing
 * may always make one request.
 *
 * It learns the debts that the store names, so that an outage gives no fresh budget. After an outage
 * what was admitted still counts until it is drained, because the store knows nothing of it, and may
 * have lost the rest. The debts of both are the same amounts: the capacity is the same, and it drains
 * as fast.
 */
export class StandIn {
  readonly #instances: number;
  readonly #clock: () => number;
  readonly #store = new MemoryStore();
  /** Bounded by the policies of the program. */
  readonly #ledgers = new Map<string, Ledger>();
  /** When the last debt of an outage is drained. Ticks. */
  #recoveredAt = 0;

  /** `clock` returns monotonic milliseconds. */
  constructor(instances: number, clock: () => number) {
    this.#instances = instances;
    this.#clock = clock;
  }

  /** Whether keys may owe more here than the store knows. */
  get isRecovering(): boolean {
    return this.#recoveredAt > 0 && this.#recoveredAt > this.#now();
  }

  /** Decides without the store, for this process; charges all or nothing. */
  consume(group: readonly PolicyCost[]): Decision[] {
    const decisions = this.#peek(group, this.#instances);
    if (decisions.some(({ kind }) => kind === "limited")) return decisions;
    this.#charge(group, this.#instances);
    return group.map(({ policy, key }) => {
      const debt = this.#debt(policy, key);
      this.#recoveredAt = Math.max(this.#recoveredAt, this.#now() + debt);
      return { kind: "admitted", ...stateOf(policy, debt, this.#instances), delayMs: 0 };
    });
  }

  /** Decides without the store and charges nothing. */
  peek(group: readonly PolicyCost[]): Decision[] {
    return this.#peek(group, this.#instances);
  }

  /**
   * Charges what the store is about to be asked for, and returns undefined; or the decisions, when
   * what is owed from an outage leaves no room for it.
   */
  reserve(group: readonly PolicyCost[]): Decision[] | undefined {
    const decisions = this.#peek(group, 1);
    if (decisions.some(({ kind }) => kind === "limited")) return decisions;
    this.#charge(group, 1);
    return undefined;
  }

  /** Gives back what was reserved. */
  release(group: readonly PolicyCost[]): void {
    for (const { policy, key, cost } of group) {
      this.#ledger(policy).refund(key, cost * policyInterval(policy), this.#now());
    }
  }

  /** Takes note of what a key owes according to the store, where that is more than is known here. */
  learn(policy: CompletePolicy, key: string, debt: number): void {
    const known = this.#debt(policy, key);
    if (debt > known) this.#ledger(policy).charge(key, debt - known, MAX_DEBT, this.#now());
  }

  forget(policy: CompletePolicy, key: string): void {
    this.#ledger(policy).forget(key);
  }

  #peek(group: readonly PolicyCost[], factor: number): Decision[] {
    return group.map(({ policy, key, cost }): Decision => {
      const debt = this.#debt(policy, key);
      const state = stateOf(policy, debt, factor);
      if (policy.limit === 0 || cost > policy.burst) {
        return { kind: "limited", ...state, retryAfterMs: Infinity };
      }
      const needed = Math.min(cost * policyInterval(policy) * factor, MAX_DEBT);
      const wait = debt + needed - Math.max(policy.burst * policyInterval(policy), needed);
      if (wait > 0) return { kind: "limited", ...state, retryAfterMs: wait / TICKS_PER_MS };
      return { kind: "admitted", ...state, delayMs: 0 };
    });
  }

  #charge(group: readonly PolicyCost[], factor: number): void {
    for (const { policy, key, cost } of group) {
      const needed = Math.min(cost * policyInterval(policy) * factor, MAX_DEBT);
      this.#ledger(policy).charge(key, needed, 2 * MAX_DEBT, this.#now());
    }
  }

  #debt(policy: CompletePolicy, key: string): number {
    return this.#ledger(policy).charge(key, 0, MAX_DEBT, this.#now());
  }

  #ledger({ name }: CompletePolicy): Ledger {
    let ledger = this.#ledgers.get(name);
    if (ledger === undefined) {
      ledger = this.#store.ledger(name);
      this.#ledgers.set(name, ledger);
    }
    return ledger;
  }

  #now(): number {
    return ticksAt(this.#clock());
  }
}

function stateOf(
  policy: CompletePolicy,
  debt: number,
  factor: number,
): Pick<Decision, "limit" | "remaining" | "resetMs"> {
  const { limit, burst } = policy;
  const interval = policyInterval(policy);
  const room = limit === 0 ? 0 : Math.max(burst * interval - debt, 0);
  const remaining = room === 0 ? 0 : Math.floor(room / (interval * factor));
  return { limit, remaining, resetMs: debt / TICKS_PER_MS };
}
