import { TICKS_PER_MS } from "../gcra.ts";
import type { Charge } from "../shared-store.ts";
import { RecentEntries } from "./recent-entries.ts";

interface KnownDebt {
  /** Time at which nothing will be owed. Milliseconds of the store's clock. */
  readonly arrivalTime: number;
  readonly knownAt: number;
}

/**
 * What keys that were refused owe at least, so that their next requests are refused without a round
 * trip: under attack most requests are such. A debt only shrinks with time, unless another process
 * gives something back; so no entry is believed for longer than `lifetimeMs`.
 */
export class BlockCache {
  readonly #entries: RecentEntries<KnownDebt>;
  readonly #lifetimeMs: number;

  constructor(capacity: number, lifetimeMs: number) {
    this.#entries = new RecentEntries(capacity);
    this.#lifetimeMs = lifetimeMs;
  }

  /** Returns the answer to a group that must be refused, or undefined where only the store knows. */
  answer(group: readonly Charge[], names: readonly string[], now: number): number[] | undefined {
    if (this.#entries.size === 0) return undefined;
    const debts: number[] = [];
    let isRefused = false;
    for (let index = 0; index < group.length; index++) {
      const known = this.#entries.get(names[index]!);
      if (known === undefined || now - known.knownAt > this.#lifetimeMs) return undefined;
      const { cost, capacity } = group[index]!;
      const left = Math.max(Math.floor((known.arrivalTime - now) * TICKS_PER_MS), 0);
      const debt = Math.min(left, capacity) + cost;
      if (debt > capacity) isRefused = true;
      debts.push(debt);
    }
    return isRefused ? debts : undefined;
  }

  /** Remembers the debts of a refused group. `sentAt` is no later than the moment they were read. */
  learn(
    group: readonly Pick<Charge, "cost">[],
    names: readonly string[],
    debts: readonly number[],
    sentAt: number,
  ): void {
    for (let index = 0; index < group.length; index++) {
      const owed = debts[index]! - group[index]!.cost;
      const arrivalTime = sentAt + owed / TICKS_PER_MS;
      this.#entries.set(names[index]!, { arrivalTime, knownAt: sentAt });
    }
  }

  forget(name: string): void {
    this.#entries.delete(name);
  }
}
