import {
  type RateLimitPolicy,
  RateLimitError,
  type SharedLimiter,
  type SharedLimiterOptions,
  type StoreUnavailableEvent,
  createLimiter,
  createSharedLimiter,
} from "@hauberk/rate-limit";
import { VirtualClock, sharedStoreConformance } from "@hauberk/rate-limit/testing";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { rejection } from "../support/rejection.ts";
import { ScriptedStore, unavailable } from "../support/scripted-store.ts";

const POLICY: RateLimitPolicy = { limit: 10, windowMs: 10_000 };

interface Bench {
  readonly clock: VirtualClock;
  readonly store: ScriptedStore;
  readonly limiter: SharedLimiter;
}

function benchOf(
  policies: RateLimitPolicy | readonly RateLimitPolicy[] = POLICY,
  options: Partial<SharedLimiterOptions> = {},
): Bench {
  const clock = new VirtualClock();
  const store = new ScriptedStore(clock.now);
  const limiter = createSharedLimiter(policies, { store, clock: clock.now, ...options });
  return { clock, store, limiter };
}

async function admittedOf(limiter: SharedLimiter, count: number, key = "client"): Promise<number> {
  const decisions = await Promise.all(Array.from({ length: count }, () => limiter.consume(key)));
  return decisions.filter(({ kind }) => kind === "admitted").length;
}

describe("sharedStoreConformance() on a store in memory", () => {
  const clock = new VirtualClock();
  const createStore = (): ScriptedStore => new ScriptedStore(clock.now);
  for (const { name, run } of sharedStoreConformance({ createStore, clock })) it(name, run);
});

describe("createSharedLimiter()", () => {
  it("decides as a limiter of one process does, for any requests", async () => {
    const request = fc.record({
      key: fc.constantFrom("a", "b"),
      cost: fc.integer({ min: 0, max: 12 }),
      afterMs: fc.integer({ min: 0, max: 3000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 40 }), async (requests) => {
        const { clock, limiter } = benchOf({ ...POLICY, burst: 8, delayAfter: 4 });
        const local = createLimiter(limiter.policies[0]!, { clock: clock.now });
        for (const { key, cost, afterMs } of requests) {
          clock.advance(afterMs);
          const { decisions } = await limiter.consume(key, cost);
          expect(decisions[0]!.decision).to.deep.equal(local.consume(key, cost));
        }
      }),
      { numRuns: 50 },
    );
  });

  it("admits exactly 5 of 200 parallel calls at a limit of 5", async () => {
    const { limiter } = benchOf({ limit: 5, windowMs: 1000 });
    expect(await admittedOf(limiter, 200)).to.equal(5);
  });

  it("charges all policies or none, and speaks for the tightest", async () => {
    const { limiter } = benchOf([
      { name: "burst", limit: 2, windowMs: 1000 },
      { name: "daily", limit: 100, windowMs: 86_400_000 },
    ]);
    for (let request = 0; request < 5; request++) await limiter.consume("client");
    const decision = await limiter.consume("client");
    expect(decision).to.deep.include({ kind: "limited", limit: 2, retryAfterMs: 500 });
    expect(decision.policy.name).to.equal("burst");
    expect(decision.decisions.map((part) => part.decision.kind)).to.deep.equal([
      "limited",
      "admitted",
    ]);
    expect(decision.decisions[1]!.decision).to.deep.include({ remaining: 98 });
  });

  it("takes a key for each policy by its name", async () => {
    const { limiter } = benchOf([
      { name: "user", limit: 1, windowMs: 1000 },
      { name: "address", limit: 2, windowMs: 1000 },
    ]);
    const say = async (user: string, address: string): Promise<string> =>
      (await limiter.consume({ user, address })).kind;
    expect(await say("alice", "192.0.2.1")).to.equal("admitted");
    expect(await say("alice", "192.0.2.1")).to.equal("limited");
    expect(await say("bob", "192.0.2.1")).to.equal("admitted");
    expect(await say("carol", "192.0.2.1")).to.equal("limited");
    expect(await rejection(limiter.consume({ user: "dave" }))).to.be.instanceOf(TypeError);
  });

  it("looks with a cost of 0, charges nothing by peek, and refuses a cost above the burst", async () => {
    const { limiter } = benchOf({ ...POLICY, burst: 5 });
    await limiter.peek("client", 5);
    await limiter.consume("client", 0);
    expect(await limiter.peek("client")).to.deep.include({ kind: "admitted", remaining: 5 });
    expect(await limiter.consume("client", 6)).to.deep.include({
      kind: "limited",
      remaining: 5,
      retryAfterMs: Infinity,
    });
  });

  it("charges afterwards what still fits, gives back, and resets", async () => {
    const { limiter } = benchOf();
    await limiter.consume("client", 4);
    await limiter.charge("client", 3);
    expect((await limiter.peek("client")).kind).to.equal("admitted");
    await limiter.charge("client", 50);
    expect((await limiter.peek("client")).kind).to.equal("limited");
    await limiter.refund("client", 2);
    expect(await limiter.peek("client")).to.deep.include({ remaining: 2 });
    await limiter.reset("client");
    expect(await limiter.peek("client")).to.deep.include({ remaining: 10 });
  });

  it("refuses every request at a limit of 0, with the store and without", async () => {
    const { limiter, store } = benchOf({ limit: 0, windowMs: 1000 });
    expect((await limiter.consume("client")).kind).to.equal("limited");
    await limiter.refund("client");
    store.trouble = unavailable;
    expect((await limiter.consume("client")).kind).to.equal("limited");
  });

  it("counts its decisions for each policy", async () => {
    const { limiter, store } = benchOf([
      { name: "one", limit: 2, windowMs: 1000 },
      { name: "two", limit: 9, windowMs: 1000 },
    ]);
    await admittedOf(limiter, 3);
    store.trouble = unavailable;
    await admittedOf(limiter, 1);
    const counts = { admitted: 2, limited: 2, unavailable: 0, fallback: 1 };
    expect(limiter.metrics()).to.deep.equal([
      { policyName: "one", ...counts },
      { policyName: "two", admitted: 4, limited: 0, unavailable: 0, fallback: 1 },
    ]);
  });

  it("refuses policies without a name of their own, other algorithms and unknown options", () => {
    expect(() => benchOf([POLICY, POLICY])).to.throw(TypeError, /name "default"/);
    expect(() => benchOf([])).to.throw(TypeError, /at least one policy/);
    expect(() => benchOf({ ...POLICY, algorithm: "fixed-window" })).to.throw(TypeError, /"gcra"/);
    expect(() => benchOf(POLICY, { stroe: 1 } as never)).to.throw(TypeError, /"store"\?/);
    expect(() => benchOf(POLICY, { store: {} as never })).to.throw(TypeError, /SharedStore/);
    expect(() => benchOf(POLICY, { onUnavailable: "open" as never })).to.throw(
      TypeError,
      /fail-open/,
    );
    expect(() => benchOf(POLICY, { onUnavailable: { defualt: "fail-open" } })).to.throw(
      TypeError,
      /"default"\?/,
    );
    expect(() => benchOf(POLICY, { fallback: { instances: 0 } })).to.throw(RangeError);
  });

  it("rejects keys and costs of the wrong kind, and does not echo the key", async () => {
    const { limiter } = benchOf();
    for (const cost of [-1, 0.5, NaN, Infinity]) {
      expect(await rejection(limiter.consume("client", cost))).to.be.instanceOf(RangeError);
    }
    const error = await rejection(limiter.consume(7 as never));
    expect(error).to.be.instanceOf(TypeError);
  });
});

describe("createSharedLimiter() without an answer", () => {
  it("admits its share of the limit, at its share of the rate", async () => {
    const { limiter, store, clock } = benchOf(POLICY, { fallback: { instances: 5 } });
    store.trouble = unavailable;
    expect(await admittedOf(limiter, 20)).to.equal(2);
    clock.advance(4999);
    expect(await admittedOf(limiter, 20)).to.equal(0);
    clock.advance(1);
    expect(await admittedOf(limiter, 20)).to.equal(1);
    expect((await limiter.consume("client")).kind).to.equal("limited");
  });

  it("says when its share comes back", async () => {
    const { limiter, store } = benchOf(POLICY, { fallback: { instances: 5 } });
    store.trouble = unavailable;
    expect(await limiter.consume("client")).to.deep.include({ remaining: 1, resetMs: 5000 });
    await limiter.consume("client");
    expect(await limiter.consume("client")).to.deep.include({
      kind: "limited",
      remaining: 0,
      retryAfterMs: 5000,
    });
  });

  it("admits one request of an idle key in each of more processes than the burst has room for", async () => {
    const { limiter, store, clock } = benchOf(POLICY, { fallback: { instances: 40 } });
    store.trouble = unavailable;
    expect(await admittedOf(limiter, 20)).to.equal(1);
    clock.advance(39_999);
    expect(await admittedOf(limiter, 20)).to.equal(0);
    clock.advance(1);
    expect(await admittedOf(limiter, 20)).to.equal(1);
  });

  it("gives no fresh budget when an outage begins", async () => {
    const { limiter, store } = benchOf();
    expect(await admittedOf(limiter, 7)).to.equal(7);
    store.trouble = unavailable;
    expect(await admittedOf(limiter, 20)).to.equal(3);
  });

  it("gives no fresh budget when an outage ends, even if the store has lost everything", async () => {
    const { limiter, store, clock } = benchOf();
    store.trouble = unavailable;
    expect(await admittedOf(limiter, 20)).to.equal(10);
    store.trouble = undefined;
    expect(await admittedOf(limiter, 20)).to.equal(0);
    clock.advance(3000);
    expect(await admittedOf(limiter, 20)).to.equal(3);
    clock.advance(10_000);
    expect(await admittedOf(limiter, 20)).to.equal(10);
  });

  it("takes back what it counted for itself when the store refuses after an outage", async () => {
    const { limiter, store, clock } = benchOf();
    const other = createSharedLimiter(POLICY, { store, clock: clock.now });
    store.trouble = unavailable;
    await admittedOf(limiter, 1, "someone else");
    store.trouble = undefined;
    expect(await admittedOf(other, 10)).to.equal(10);
    expect(await admittedOf(limiter, 10)).to.equal(0);
    clock.advance(5000);
    expect(await admittedOf(limiter, 10)).to.equal(5);
  });

  it("asks the store alone again once everything from the outage is drained", async () => {
    const { limiter, store, clock } = benchOf();
    store.trouble = unavailable;
    await admittedOf(limiter, 20);
    store.trouble = undefined;
    clock.advance(10_000);
    await admittedOf(limiter, 10);
    await createSharedLimiter(POLICY, { store }).reset("client");
    expect(await admittedOf(limiter, 20)).to.equal(10);
  });

  it("refuses or admits everything where a policy says so, without asking the stand-in", async () => {
    const policies = [
      { name: "login", limit: 5, windowMs: 1000 },
      { name: "search", limit: 5, windowMs: 1000 },
    ];
    const closed = benchOf(policies, { onUnavailable: { login: "fail-closed" } });
    closed.store.trouble = unavailable;
    const decision = await closed.limiter.consume("client");
    expect(decision).to.deep.include({ kind: "unavailable", isAdmitted: false, limit: 5 });
    expect(decision.policy.name).to.equal("login");
    closed.store.trouble = undefined;
    expect(await closed.limiter.peek("client")).to.deep.include({ remaining: 5 });

    const open = benchOf(policies, { onUnavailable: "fail-open" });
    open.store.trouble = unavailable;
    for (let request = 0; request < 20; request++) {
      expect(await open.limiter.consume("client")).to.deep.include({ isAdmitted: true });
    }
  });

  it("admits by the stand-in of one policy when another fails open", async () => {
    const policies = [
      { name: "login", limit: 2, windowMs: 1000 },
      { name: "search", limit: 5, windowMs: 1000 },
    ];
    const { limiter, store } = benchOf(policies, { onUnavailable: { search: "fail-open" } });
    store.trouble = unavailable;
    expect(await admittedOf(limiter, 5)).to.equal(2);
  });

  it("tells of every request that it decided alone, with the error", async () => {
    const events: StoreUnavailableEvent[] = [];
    const { limiter, store } = benchOf(POLICY, { onEvent: (event) => void events.push(event) });
    store.trouble = unavailable;
    await limiter.consume("client");
    expect(events).to.have.lengthOf(1);
    expect(events[0]).to.deep.include({ kind: "store-unavailable" });
    expect(events[0]!.error.code).to.equal("ERR_RATE_LIMIT_STORE_UNAVAILABLE");
    expect(events[0]!.decision.kind).to.equal("admitted");
  });

  it("rejects what is not about being unavailable", async () => {
    const { limiter, store } = benchOf(POLICY, { onUnavailable: "fail-open" });
    store.trouble = () =>
      Promise.reject(
        new RateLimitError("ERR_RATE_LIMIT_STORE_REFUSED", "Cannot use the store: test"),
      );
    expect((await rejection(limiter.consume("client"))).code).to.equal(
      "ERR_RATE_LIMIT_STORE_REFUSED",
    );
    expect((await rejection(limiter.charge("client", 1))).code).to.equal(
      "ERR_RATE_LIMIT_STORE_REFUSED",
    );
  });

  for (const [what, answer] of [
    ["too few debts", []],
    ["too many debts", [1, 1]],
    ["text", ["1"]],
    ["null", null],
    ["undefined", undefined],
    ["a number", 90_090],
    ["NaN", [NaN]],
    ["a negative debt", [-1]],
    ["an infinite debt", [Infinity]],
    ["a debt below the cost", [1]],
    ["a debt beyond capacity and cost", [1e15]],
  ] as const) {
    it(`decides alone when the store answers ${what}`, async () => {
      const { limiter, store } = benchOf({ ...POLICY, limit: 3 });
      store.trouble = () => Promise.resolve(answer);
      expect(await admittedOf(limiter, 20)).to.equal(3);
      expect(limiter.metrics()[0]).to.deep.include({ fallback: 20 });
    });
  }

  for (const [what, trouble] of [
    [
      "throws at once",
      () => {
        throw new TypeError("broken");
      },
    ],
    ["rejects with no Error", () => Promise.reject("broken")],
    ["returns no promise", () => "later"],
  ] as const) {
    it(`decides alone when the store ${what}`, async () => {
      const { limiter, store } = benchOf({ ...POLICY, limit: 3 });
      store.trouble = trouble;
      expect(await admittedOf(limiter, 20)).to.equal(3);
    });
  }

  it("decides alone after deadlineMs when the store never answers", async () => {
    const { limiter, store } = benchOf(POLICY, { deadlineMs: 20 });
    store.trouble = () => new Promise(() => undefined);
    const keepAlive = setInterval(() => undefined, 5);
    const startedAt = performance.now();
    expect(await admittedOf(limiter, 50)).to.equal(10);
    expect(performance.now() - startedAt).to.be.within(19, 500);
    expect(await admittedOf(limiter, 5)).to.equal(0);
    clearInterval(keepAlive);
  });
});
