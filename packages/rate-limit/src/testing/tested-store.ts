import { TICKS_PER_MS, ticksAt } from "../gcra.ts";
import { isSharedStore } from "../shared-limiter.ts";
import type { SharedStore } from "../shared-store.ts";
import type { Store } from "../store.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** One request of the tests: large enough that a test on real time sees almost none of it drain. */
const REQUEST: number = 60_000 * TICKS_PER_MS;

/** What the process may take between two answers on real time. */
const SLACK: number = 10_000 * TICKS_PER_MS;

export interface Amount {
  readonly key: string;
  /** Requests. */
  readonly cost: number;
  /** Requests. */
  readonly capacity: number;
  readonly policyName?: string;
}

/** Either kind of store, in requests instead of ticks, with what the tests want to say about it. */
export class TestedStore {
  readonly #store: Store | SharedStore;
  readonly #clock: VirtualClock | undefined;

  constructor(store: Store | SharedStore, clock: VirtualClock | undefined) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Returns the debt of a key with the cost added. Requests. */
  async charge(key: string, cost: number, capacity: number, policyName = "test"): Promise<number> {
    const [debt] = await this.chargeAll([{ key, cost, capacity, policyName }]);
    return debt!;
  }

  /** Returns the debts of a group; a store of one process is given one entry after the other. */
  async chargeAll(group: readonly Amount[]): Promise<readonly number[]> {
    const charges = group.map(({ key, cost, capacity, policyName = "test" }) => {
      return { policyName, key, cost: cost * REQUEST, capacity: capacity * REQUEST };
    });
    if (isSharedStore(this.#store)) {
      const debts = await this.#store.charge(charges);
      return debts.map((debt) => debt / REQUEST);
    }
    const store = this.#store;
    return charges.map(({ policyName, key, cost, capacity }) => {
      return store.ledger(policyName).charge(key, cost, capacity, this.#now()) / REQUEST;
    });
  }

  async refund(key: string, cost: number): Promise<void> {
    const charge = { policyName: "test", key, cost: cost * REQUEST, capacity: 0 };
    if (isSharedStore(this.#store)) await this.#store.refund([charge]);
    else this.#store.ledger("test").refund(key, charge.cost, this.#now());
  }

  async forget(key: string): Promise<void> {
    if (isSharedStore(this.#store)) await this.#store.forget("test", key);
    else this.#store.ledger("test").forget(key);
  }

  async close(): Promise<void> {
    if (isSharedStore(this.#store)) await this.#store.close();
  }

  /** @throws {Error} If what a key owes is not `requests`, or, on real time, not nearly. */
  async expectDebt(key: string, requests: number, policyName?: string): Promise<void> {
    this.expectEqual(await this.charge(key, 0, 1000, policyName), requests, `the debt of ${key}`);
  }

  /** @throws {Error} If two amounts differ, or, on real time, by more than has drained. */
  expectEqual(actual: number, expected: number, what: string): void {
    const slack = this.#clock === undefined && expected > 0 ? SLACK / REQUEST : 0;
    if (actual <= expected && actual >= expected - slack) return;
    throw new Error(`Expected ${what} to be ${expected} requests, got ${actual}`);
  }

  /** @throws {Error} If a list of amounts is another one. */
  expectAll(actual: readonly number[], expected: readonly number[], what: string): void {
    if (actual.length !== expected.length) {
      throw new Error(`Expected ${what} to be ${expected.length} amounts, got ${actual.length}`);
    }
    for (const [index, amount] of actual.entries()) {
      this.expectEqual(amount, expected[index]!, `${what} (${index + 1} of ${actual.length})`);
    }
  }

  #now(): number {
    return ticksAt(this.#clock === undefined ? performance.now() : this.#clock.now());
  }
}
