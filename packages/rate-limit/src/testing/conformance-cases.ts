import type { TestedStore } from "./tested-store.ts";

const MINUTE_MS = 60_000;

interface StoreCase {
  readonly name: string;
  /** A case about time needs a clock to turn; one about groups a store that processes share. */
  readonly needs?: "clock" | "groups";
  readonly verify: (store: TestedStore, advance: (milliseconds: number) => void) => Promise<void>;
}

const HOSTILE_KEYS: readonly string[] = [
  "",
  "a",
  "A",
  "a ",
  "__proto__",
  "constructor",
  "\n",
  "\0",
  "\0\0",
  "\ud800",
  "\udc00",
  "\ufffd",
  "{a}",
  "a}:test",
  "{a}:test",
  "}{",
  "*",
  "a:b",
  "#",
  "x".repeat(64),
  "x".repeat(65),
  "x".repeat(100_000),
  `${"x".repeat(99_999)}y`,
];

/** What every store must do; the names go on from that of the store. */
export const CASES: readonly StoreCase[] = [
  {
    name: "answers with the debt and the cost, and charges while they fit",
    async verify(store) {
      store.expectEqual(await store.charge("key", 30, 100), 30, "the first answer");
      store.expectEqual(await store.charge("key", 70, 100), 100, "an answer that just fits");
      store.expectEqual(await store.charge("key", 10, 100), 110, "a refusal");
      await store.expectDebt("key", 100);
    },
  },
  {
    name: "charges nothing when it refuses",
    async verify(store) {
      await store.charge("key", 60, 100);
      store.expectEqual(await store.charge("key", 50, 100), 110, "the refusal");
      store.expectEqual(await store.charge("key", 40, 100), 100, "what fits after it");
    },
  },
  {
    name: "reads a debt with a cost of 0, and changes nothing",
    async verify(store) {
      store.expectEqual(await store.charge("key", 0, 100), 0, "the debt of a new key");
      await store.charge("key", 7, 100);
      for (let reading = 0; reading < 3; reading++) await store.expectDebt("key", 7);
    },
  },
  {
    name: "counts a debt above the capacity as the capacity",
    async verify(store) {
      await store.charge("key", 100, 100);
      store.expectEqual(await store.charge("key", 0, 40), 40, "the debt under a lower limit");
      store.expectEqual(await store.charge("key", 10, 40), 50, "the refusal under it");
    },
  },
  {
    name: "refuses everything at a capacity of 0",
    async verify(store) {
      store.expectEqual(await store.charge("key", 1, 0), 1, "the refusal");
      await store.expectDebt("key", 0);
    },
  },
  {
    name: "admits exactly 5 of 200 parallel charges at a capacity of 5",
    async verify(store) {
      const debts = await Promise.all(
        Array.from({ length: 200 }, async () => store.charge("key", 1, 5)),
      );
      const admitted = debts.filter((debt) => debt <= 5).length;
      if (admitted !== 5) throw new Error(`Expected 5 charges to be admitted, got ${admitted}`);
    },
  },
  {
    name: "keeps keys apart, whatever they hold",
    async verify(store) {
      for (const [index, key] of HOSTILE_KEYS.entries()) await store.charge(key, index + 1, 100);
      for (const [index, key] of HOSTILE_KEYS.entries()) await store.expectDebt(key, index + 1);
    },
  },
  {
    name: "keeps policies apart, whatever their names and keys join to",
    async verify(store) {
      await store.charge("b", 1, 100, "a:b");
      await store.charge("b:b", 2, 100, "a");
      await store.charge("a}:b", 3, 100, "b");
      await store.charge("a", 4, 100, "b}:b");
      await store.expectDebt("b", 1, "a:b");
      await store.expectDebt("b:b", 2, "a");
      await store.expectDebt("a}:b", 3, "b");
      await store.expectDebt("a", 4, "b}:b");
      await store.expectDebt("b", 0, "a");
    },
  },
  {
    name: "gives back a cost, never below no debt",
    async verify(store) {
      await store.charge("key", 30, 100);
      await store.refund("key", 10);
      await store.expectDebt("key", 20);
      await store.refund("key", 50);
      await store.expectDebt("key", 0);
      await store.refund("other", 5);
      store.expectEqual(await store.charge("other", 100, 100), 100, "what fits after a refund");
    },
  },
  {
    name: "admits again what a refund made room for",
    async verify(store) {
      await store.charge("key", 100, 100);
      store.expectEqual(await store.charge("key", 10, 100), 110, "the refusal");
      await store.refund("key", 10);
      store.expectEqual(await store.charge("key", 10, 100), 100, "what fits after the refund");
    },
  },
  {
    name: "forgets a key and no other",
    async verify(store) {
      await store.charge("key", 100, 100);
      await store.charge("other", 5, 100);
      await store.charge("key", 1, 100);
      await store.forget("key");
      await store.forget("unknown");
      await store.expectDebt("key", 0);
      await store.expectDebt("other", 5);
      store.expectEqual(await store.charge("key", 100, 100), 100, "what fits after it");
    },
  },
  {
    name: "drains debts with time, at the same rate for all",
    needs: "clock",
    async verify(store, advance) {
      await store.charge("small", 3, 100);
      await store.charge("large", 90, 100);
      advance(2 * MINUTE_MS);
      await store.expectDebt("small", 1);
      await store.expectDebt("large", 88);
      advance(MINUTE_MS / 4);
      await store.expectDebt("small", 0.75);
      advance(MINUTE_MS);
      await store.expectDebt("small", 0);
      store.expectEqual(await store.charge("small", 1, 100), 1, "a charge after it");
    },
  },
  {
    name: "admits a refused cost once its excess has passed, and not before",
    needs: "clock",
    async verify(store, advance) {
      await store.charge("key", 5, 5);
      const debt = await store.charge("key", 2, 5);
      store.expectEqual(debt, 7, "the refusal");
      advance(2 * MINUTE_MS - 1);
      const early = await store.charge("key", 2, 5);
      if (early <= 5) throw new Error("Expected a refusal a millisecond too early");
      advance(1);
      store.expectEqual(await store.charge("key", 2, 5), 5, "the answer in time");
    },
  },
  {
    name: "holds a debt of 366 days to the end",
    needs: "clock",
    async verify(store, advance) {
      const year = 366 * 1440;
      store.expectEqual(await store.charge("key", year, year), year, "the charge");
      advance(365 * 1440 * MINUTE_MS);
      store.expectEqual(await store.charge("key", 0, year), 1440, "the last day");
      advance(1440 * MINUTE_MS);
      store.expectEqual(await store.charge("key", 0, year), 0, "the debt after a year");
    },
  },
  {
    name: "holds a key for one capacity at most when the clock steps back an hour",
    needs: "clock",
    async verify(store, advance) {
      advance(120 * MINUTE_MS);
      await store.charge("key", 10, 10);
      advance(-60 * MINUTE_MS);
      store.expectEqual(await store.charge("key", 1, 10), 11, "the refusal after the step");
      advance(10 * MINUTE_MS);
      store.expectEqual(await store.charge("key", 10, 10), 10, "the answer a capacity later");
    },
  },
  {
    name: "charges a group whole when every entry fits",
    needs: "groups",
    async verify(store) {
      const group = [
        { key: "client", cost: 1, capacity: 5, policyName: "burst" },
        { key: "client", cost: 2, capacity: 50, policyName: "daily" },
        { key: "network", cost: 3, capacity: 100, policyName: "network" },
      ];
      store.expectAll(await store.chargeAll(group), [1, 2, 3], "the first answer");
      store.expectAll(await store.chargeAll(group), [2, 4, 6], "the second answer");
    },
  },
  {
    name: "charges nothing of a group when one entry does not fit",
    needs: "groups",
    async verify(store) {
      await store.charge("network", 99, 100, "network");
      const group = [
        { key: "client", cost: 1, capacity: 5, policyName: "burst" },
        { key: "network", cost: 3, capacity: 100, policyName: "network" },
        { key: "client", cost: 2, capacity: 50, policyName: "daily" },
      ];
      for (let attempt = 0; attempt < 3; attempt++) {
        store.expectAll(await store.chargeAll(group), [1, 102, 2], "the refusal");
      }
      await settled(store, "client", "burst");
      await store.expectDebt("client", 0, "burst");
      await store.expectDebt("client", 0, "daily");
      await store.expectDebt("network", 99, "network");
    },
  },
  {
    name: "admits exactly 5 of 200 parallel groups, and charges no entry for the others",
    needs: "groups",
    async verify(store) {
      const group = [
        { key: "client", cost: 1, capacity: 500, policyName: "wide" },
        { key: "client", cost: 1, capacity: 5, policyName: "narrow" },
      ];
      const answers = await Promise.all(
        Array.from({ length: 200 }, async () => store.chargeAll(group)),
      );
      const admitted = answers.filter(([, debt]) => debt! <= 5).length;
      if (admitted !== 5) throw new Error(`Expected 5 groups to be admitted, got ${admitted}`);
      await store.expectDebt("client", 5, "wide");
      await store.expectDebt("client", 5, "narrow");
    },
  },
  {
    name: "answers an empty group with an empty list",
    needs: "groups",
    async verify(store) {
      store.expectAll(await store.chargeAll([]), [], "the answer");
    },
  },
];

/** A store may take back parts of a refused group after its answer: waits until that is done. */
async function settled(store: TestedStore, key: string, policyName: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if ((await store.charge(key, 0, 1000, policyName)) === 0) return;
  }
}
