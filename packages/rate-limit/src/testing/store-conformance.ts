import type { Eventually } from "../eventually.ts";
import type { SharedStore } from "../shared-store.ts";
import type { Store } from "../store.ts";
import { CASES } from "./conformance-cases.ts";
import { TestedStore } from "./tested-store.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** Options of `storeConformance` and `sharedStoreConformance`. */
export interface ConformanceOptions<S extends Store | SharedStore> {
  /** Returns an empty store; called once for each case. */
  readonly createStore: () => Eventually<S>;
  /**
   * The clock that the cases turn: a `Store` is given its time with every call, and any other store
   * must read it. Without one the cases about time are left out, and amounts are compared within 10
   * seconds.
   */
  readonly clock?: VirtualClock;
}

/** One thing that a store must do. */
export interface ConformanceCase {
  /** A sentence that goes on from the name of the store. */
  readonly name: string;
  /** Rejects with an Error that says what was expected, when the store does otherwise. */
  readonly run: () => Promise<void>;
}

/**
 * Returns what every `Store` must do, as cases for any test framework:
 *
 * `for (const { name, run } of storeConformance({ createStore })) it(name, run);`
 */
export function storeConformance(options: ConformanceOptions<Store>): readonly ConformanceCase[] {
  return casesFor(options, false);
}

/**
 * Returns what every `SharedStore` must do, as cases for any test framework. Each store is closed
 * after its case.
 */
export function sharedStoreConformance(
  options: ConformanceOptions<SharedStore>,
): readonly ConformanceCase[] {
  return casesFor(options, true);
}

function casesFor(
  { createStore, clock }: ConformanceOptions<Store | SharedStore>,
  hasGroups: boolean,
): readonly ConformanceCase[] {
  const cases = CASES.filter(({ needs }) => {
    if (needs === "clock") return clock !== undefined;
    return needs !== "groups" || hasGroups;
  });
  return cases.map(({ name, verify }) => ({
    name,
    async run() {
      const tested = new TestedStore(await createStore(), clock);
      try {
        await verify(tested, (milliseconds) => {
          clock?.advance(milliseconds);
        });
      } finally {
        await tested.close();
      }
    },
  }));
}
