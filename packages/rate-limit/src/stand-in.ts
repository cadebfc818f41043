import type { Decision } from "./decision.ts";
import { randomBytes } from "node:crypto";
import { TICKS_PER_MS, ticksAt } from "./gcra.ts";
import { createHalfSipHash, ledgerKey } from "./half-sip-hash.ts";
import type { KeyedHash } from "./half-sip-hash.ts";
import { MAX_WINDOW_MS, policyInterval } from "./policy.ts";
import type { CompletePolicy } from "./policy.ts";
import { chargeDebt, forgetDebt, raiseDebt, refundDebt } from "./slot-debts.ts";
import { SlotTable } from "./slot-table.ts";

const MAX_DEBT = MAX_WINDOW_MS * TICKS_PER_MS;
const SLOTS = 131_072;

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
  readonly #table = new SlotTable(SLOTS);
  readonly #secret = randomBytes(8);
  /** By policy name; bounded by the policies of the program. */
  readonly #hashes = new Map<string, KeyedHash>();
  readonly #fingerprint = new Uint32Array(2);
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
      const [low, high] = this.#fingerprintOf(policy, key);
      refundDebt(this.#table, low!, high!, cost * policyInterval(policy), this.#now());
    }
  }

  /** Takes note of what a key owes according to the store, where that is more than is known here. */
  learn(policy: CompletePolicy, key: string, debt: number): void {
    if (debt === 0) return;
    const fingerprint = this.#fingerprintOf(policy, key);
    raiseDebt(this.#table, fingerprint[0]!, fingerprint[1]!, debt, this.#now());
  }

  forget(policy: CompletePolicy, key: string): void {
    const [low, high] = this.#fingerprintOf(policy, key);
    forgetDebt(this.#table, low!, high!);
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
      const [low, high] = this.#fingerprintOf(policy, key);
      chargeDebt(this.#table, low!, high!, needed, 2 * MAX_DEBT, this.#now());
    }
  }

  #debt(policy: CompletePolicy, key: string): number {
    const [low, high] = this.#fingerprintOf(policy, key);
    return chargeDebt(this.#table, low!, high!, 0, MAX_DEBT, this.#now());
  }

  /** Of a key under the policies of one name; overwritten by the next call. */
  #fingerprintOf({ name }: CompletePolicy, key: string): Uint32Array {
    let hash = this.#hashes.get(name);
    if (hash === undefined) {
      hash = createHalfSipHash(ledgerKey(this.#secret, name));
      this.#hashes.set(name, hash);
    }
    hash(key, this.#fingerprint);
    return this.#fingerprint;
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
