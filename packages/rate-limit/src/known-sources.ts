import { TICKS_PER_MS } from "./gcra.ts";
import type { Ledger, Store } from "./store.ts";

/** Where users have logged in from, for a time. A debt that drains stands for each. */
export class KnownSources {
  readonly #ledger: Ledger;
  readonly #durationTicks: number;

  constructor(knownForMs: number, store: Store) {
    this.#ledger = store.ledger("known sources");
    this.#durationTicks = knownForMs * TICKS_PER_MS;
  }

  includes(source: string, now: number): boolean {
    return this.#ledger.charge(source, 0, this.#durationTicks, now) > 0;
  }

  add(source: string, now: number): void {
    this.#ledger.forget(source);
    this.#ledger.charge(source, this.#durationTicks, this.#durationTicks, now);
  }
}
