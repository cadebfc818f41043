import type { Eventually } from "../eventually.ts";
import { isSharedStore } from "../shared-limiter.ts";
import type { SharedStore } from "../shared-store.ts";
import type { Store } from "../store.ts";
import { CASES } from "./conformance-cases.ts";
import { TestedStore } from "./tested-store.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** Options of `storeConformance`. */
export interface StoreConformanceOptions {
  /** Returns an empty store; called once for each case. A `SharedStore` is closed after its case. */
  readonly createStore: () => Eventually<Store | SharedStore>;
  /**
   * The clock of the stores: a `Store` is given its time with every call, and any other must read it.
   * Without one the cases about time are left out, and amounts are compared within 10 seconds.
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
 * Returns what every store must do, as cases for any test framework:
 *
 * `for (const { name, run } of storeConformance({ createStore })) it(name, run);`
 *
 * A `Store` has fewer cases than a `SharedStore`: groups are not its concern.
 */
export function storeConformance(options: StoreConformanceOptions): readonly ConformanceCase[] {
  const { createStore, clock } = options;
  return CASES.filter(({ needs }) => needs !== "clock" || clock !== undefined).map(
    ({ name, needs, verify }) => ({
      name,
      async run() {
        const store = await createStore();
        if (needs === "groups" && !isSharedStore(store)) return;
        const tested = new TestedStore(store, clock);
        try {
          await verify(tested, (milliseconds) => {
            clock?.advance(milliseconds);
          });
        } finally {
          await tested.close();
        }
      },
    }),
  );
}
