import { MemoryStore, type Store } from "@hauberk/rate-limit";
import { VirtualClock, storeConformance } from "@hauberk/rate-limit/testing";
import { expect } from "chai";
import { describe, it } from "mocha";

function fails(createStore: () => Store): Promise<string[]> {
  const cases = storeConformance({ createStore, clock: new VirtualClock() });
  const failing = cases.map(async ({ name, run }) =>
    run().then(
      () => [],
      () => [name],
    ),
  );
  return Promise.all(failing).then((names) => names.flat());
}

describe("storeConformance() on MemoryStore", () => {
  const clock = new VirtualClock(1000);
  const cases = storeConformance({ createStore: () => new MemoryStore(), clock });
  for (const { name, run } of cases) it(name, run);
});

describe("storeConformance()", () => {
  it("leaves out the cases about time when it is given no clock", () => {
    const createStore = (): Store => new MemoryStore();
    const without = storeConformance({ createStore });
    const all = storeConformance({ createStore, clock: new VirtualClock() });
    expect(all.length - without.length).to.equal(4);
    expect(without.map(({ name }) => name).join()).to.not.match(/clock|time|days/);
  });

  it("passes on real time", async () => {
    for (const { run } of storeConformance({ createStore: () => new MemoryStore() })) await run();
  });

  it("finds a store that charges although it refuses", async () => {
    const failing = await fails(() => {
      const debts = new Map<string, number>();
      return storeWith((policy, key, cost) => {
        const debt = (debts.get(policy + key) ?? 0) + cost;
        debts.set(policy + key, debt);
        return debt;
      });
    });
    expect(failing).to.include("charges nothing when it refuses");
  });

  it("finds a store that joins policy and key by a colon", async () => {
    const failing = await fails(() => {
      const ledger = new MemoryStore().ledger("all");
      return storeWith((policy, key, cost, capacity, now) =>
        ledger.charge(`${policy}:${key}`, cost, capacity, now),
      );
    });
    expect(failing).to.include("keeps policies apart, whatever their names and keys join to");
  });

  it("finds a store without a clock", async () => {
    const failing = await fails(() => {
      const store = new MemoryStore();
      return storeWith((policy, key, cost, capacity) =>
        store.ledger(policy).charge(key, cost, capacity, 0),
      );
    });
    expect(failing).to.include("drains debts with time, at the same rate for all");
  });

  it("finds a store whose refund goes below no debt, and says what it expected", async () => {
    const createStore = (): Store => {
      const store = new MemoryStore();
      return storeWith((policy, key, cost, capacity, now) =>
        store.ledger(policy).charge(key, cost, capacity, now),
      );
    };
    const refunding = storeConformance({ createStore, clock: new VirtualClock() }).find(
      ({ name }) => name === "gives back a cost, never below no debt",
    );
    const error: unknown = await refunding?.run().catch((reason: unknown) => reason);
    expect(String(error)).to.equal("Error: Expected the debt of key to be 20 requests, got 30");
  });
});

function storeWith(
  charge: (policy: string, key: string, cost: number, capacity: number, now: number) => number,
): Store {
  const ignore = (): void => undefined;
  return {
    ledger: (policy) => ({
      charge: (key, cost, capacity, now) => charge(policy, key, cost, capacity, now),
      refund: ignore,
      block: ignore,
      forget: ignore,
    }),
  };
}
