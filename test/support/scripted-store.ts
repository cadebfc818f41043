import { type Charge, MemoryStore, RateLimitError, type SharedStore } from "@hauberk/rate-limit";

/**
 * A shared store in memory on a clock of the test's, that fails when it is told to: while `trouble`
 * is set, `charge` does what it returns or throws instead of answering.
 */
export class ScriptedStore implements SharedStore {
  trouble: (() => unknown) | undefined;
  /** Groups that were asked for. */
  calls = 0;
  readonly #store = new MemoryStore();
  readonly #now: () => number;

  /** `now` returns milliseconds. */
  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  charge(group: readonly Charge[]): Promise<readonly number[]> {
    this.calls++;
    if (this.trouble !== undefined) return this.trouble() as Promise<readonly number[]>;
    return Promise.resolve(this.#charge(group));
  }

  refund(group: readonly Charge[]): Promise<void> {
    for (const { policyName, key, cost } of group) {
      this.#store.ledger(policyName).refund(key, cost, this.#ticks());
    }
    return Promise.resolve();
  }

  forget(policyName: string, key: string): Promise<void> {
    this.#store.ledger(policyName).forget(key);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #charge(group: readonly Charge[]): number[] {
    const debts = group.map(({ policyName, key, cost, capacity }) => {
      const ledger = this.#store.ledger(policyName);
      return ledger.charge(key, 0, capacity, this.#ticks()) + cost;
    });
    const refusing = group.filter(({ capacity }, index) => debts[index]! > capacity);
    for (const { policyName, key, cost, capacity } of refusing.length > 0 ? refusing : group) {
      this.#store.ledger(policyName).charge(key, cost, capacity, this.#ticks());
    }
    return debts;
  }

  #ticks(): number {
    return Math.floor(this.#now() * 90_090);
  }
}

/** Returns a trouble: a store that says it is unavailable. */
export function unavailable(): never {
  throw new RateLimitError("ERR_RATE_LIMIT_STORE_UNAVAILABLE", "Cannot reach the store: test");
}
