import {
  type Ledger,
  type Limiter,
  type Store,
  MemoryStore,
  createLimiter,
} from "@hauberk/rate-limit";
import { expect } from "chai";
import { describe, it } from "mocha";

interface Bench {
  limiter: Limiter;
  at(ms: number): Limiter;
}

function benchOf(policy: Parameters<typeof createLimiter>[0], store?: Store): Bench {
  let now = 0;
  const clock = (): number => now;
  const limiter = createLimiter(policy, store === undefined ? { clock } : { clock, store });
  return {
    limiter,
    at(ms) {
      now = ms;
      return limiter;
    },
  };
}

const SILENT: Ledger = {
  charge: () => 0,
  refund: () => undefined,
  block: () => undefined,
  forget: () => undefined,
};

function admittedOf(limiter: Limiter, count: number, key = "client"): number {
  let admitted = 0;
  for (let index = 0; index < count; index++) {
    if (limiter.consume(key).kind === "admitted") admitted++;
  }
  return admitted;
}

describe("createLimiter()", () => {
  it("admits exactly the limit at once and then one per interval", () => {
    const bench = benchOf({ limit: 100, windowMs: 60_000 });
    expect(admittedOf(bench.at(0), 200)).to.equal(100);
    expect(admittedOf(bench.at(599.9), 3)).to.equal(0);
    expect(admittedOf(bench.at(600), 3)).to.equal(1);
    expect(admittedOf(bench.at(1200), 3)).to.equal(1);
    expect(admittedOf(bench.at(61_200), 200)).to.equal(100);
  });

  it("admits exactly the burst at any fraction of a millisecond", () => {
    for (let index = 0; index < 500; index++) {
      const bench = benchOf({ limit: 100, windowMs: 10 });
      expect(admittedOf(bench.at(index * 1.000_123_7), 120)).to.equal(100);
    }
  });

  it("gives the whole limit again after exactly one window, for every limit up to 16", () => {
    for (let limit = 1; limit <= 16; limit++) {
      const bench = benchOf({ limit, windowMs: 1000 });
      expect(admittedOf(bench.at(5), 20), `limit ${limit}`).to.equal(limit);
      expect(admittedOf(bench.at(1005), 20), `limit ${limit}`).to.equal(limit);
    }
  });

  it("admits exactly 5 of 200 parallel calls at a limit of 5", async () => {
    const { limiter } = benchOf({ limit: 5, windowMs: 1000 });
    const calls = Array.from({ length: 200 }, async () => {
      await Promise.resolve();
      return limiter.consume("client");
    });
    const decisions = await Promise.all(calls);
    expect(decisions.filter(({ kind }) => kind === "admitted")).to.have.lengthOf(5);
  });

  it("counts down what remains and says when the whole burst is back", () => {
    const { limiter } = benchOf({ limit: 4, windowMs: 1000 });
    expect(limiter.consume("client")).to.deep.equal({
      kind: "admitted",
      limit: 4,
      remaining: 3,
      resetMs: 250,
      delayMs: 0,
    });
    limiter.consume("client", 3);
    expect(limiter.consume("client")).to.deep.equal({
      kind: "limited",
      limit: 4,
      remaining: 0,
      resetMs: 1000,
      retryAfterMs: 250,
    });
  });

  it("admits a limited request once its retryAfterMs has passed, and not a tick before", () => {
    const bench = benchOf({ limit: 7, windowMs: 1000, burst: 3 });
    bench.at(10).consume("client", 3);
    const decision = bench.at(11).consume("client", 2);
    if (decision.kind !== "limited") throw new Error("expected a limited decision");
    expect(bench.at(11 + decision.retryAfterMs - 0.001).peek("client").remaining).to.equal(1);
    expect(bench.at(11 + decision.retryAfterMs).consume("client", 2).kind).to.equal("admitted");
  });

  it("charges nothing for a limited request", () => {
    const bench = benchOf({ limit: 1, windowMs: 1000 });
    expect(admittedOf(bench.at(0), 1000)).to.equal(1);
    expect(admittedOf(bench.at(1000), 1)).to.equal(1);
  });

  it("keeps a burst apart from the rate", () => {
    const bench = benchOf({ limit: 60, windowMs: 60_000, burst: 5 });
    expect(admittedOf(bench.at(0), 100)).to.equal(5);
    expect(admittedOf(bench.at(1000), 100)).to.equal(1);
    const wide = benchOf({ limit: 1, windowMs: 1000, burst: 10 });
    expect(admittedOf(wide.at(0), 100)).to.equal(10);
  });

  it("keeps keys apart, whatever they hold", () => {
    const { limiter } = benchOf({ limit: 1, windowMs: 1000 });
    const keys = [
      "",
      "__proto__",
      "constructor",
      "\ud800",
      "\udc00",
      "\n",
      "\0",
      "\0\0",
      "a_b",
      "a",
    ];
    keys.push("{hash}tags}", "ledger:key", "x".repeat(1_000_000), `${"x".repeat(999_999)}y`);
    for (const key of keys) {
      expect(limiter.consume(key).kind, JSON.stringify(key.slice(0, 20))).to.equal("admitted");
      expect(limiter.consume(key).kind, JSON.stringify(key.slice(0, 20))).to.equal("limited");
    }
  });

  it("forgets what a key owes on reset", () => {
    const { limiter } = benchOf({ limit: 2, windowMs: 1000 });
    admittedOf(limiter, 2);
    limiter.reset("someone else");
    expect(limiter.peek("client").kind).to.equal("limited");
    limiter.reset("client");
    expect(admittedOf(limiter, 5)).to.equal(2);
  });

  it("shows its policy complete and frozen", () => {
    const { limiter } = benchOf({ limit: 9, windowMs: 1000 });
    expect(limiter.policy).to.deep.equal({
      name: "default",
      limit: 9,
      windowMs: 1000,
      algorithm: "gcra",
      burst: 9,
      strict: false,
      delayAfter: 9,
    });
    expect(Object.isFrozen(limiter.policy)).to.equal(true);
  });

  it("runs on the time of the process when it is given no clock", () => {
    const limiter = createLimiter({ limit: 1, windowMs: 86_400_000 });
    expect(limiter.consume("client").kind).to.equal("admitted");
    const decision = limiter.consume("client");
    expect(decision.kind).to.equal("limited");
    expect(decision.resetMs).to.be.within(86_300_000, 86_400_000);
  });
});

describe("createLimiter() peek", () => {
  it("gives the decision that consume would give, and charges nothing", () => {
    const { limiter } = benchOf({ limit: 2, windowMs: 1000 });
    expect(limiter.peek("client")).to.deep.equal({
      kind: "admitted",
      limit: 2,
      remaining: 2,
      resetMs: 0,
      delayMs: 0,
    });
    limiter.consume("client", 2);
    const peeked = limiter.peek("client");
    expect(peeked).to.deep.equal(limiter.consume("client"));
    expect(peeked).to.deep.include({ kind: "limited", retryAfterMs: 500 });
  });

  it("is what a cost of 0 does", () => {
    const { limiter } = benchOf({ limit: 2, windowMs: 1000 });
    limiter.consume("client");
    for (let index = 0; index < 5; index++) {
      expect(limiter.consume("client", 0)).to.deep.equal(limiter.peek("client"));
    }
    expect(limiter.peek("client").remaining).to.equal(1);
  });
});

describe("createLimiter() costs", () => {
  it("charges the cost, or nothing at all when it does not fit", () => {
    const { limiter } = benchOf({ limit: 10, windowMs: 1000 });
    expect(limiter.consume("client", 7).remaining).to.equal(3);
    const decision = limiter.consume("client", 4);
    expect(decision).to.deep.include({ kind: "limited", remaining: 3, retryAfterMs: 100 });
    expect(limiter.consume("client", 3).remaining).to.equal(0);
  });

  it("never admits a cost above the burst: retryAfterMs is Infinity and nothing is charged", () => {
    const { limiter } = benchOf({ limit: 10, windowMs: 1000, burst: 5 });
    for (const cost of [6, 1_000_000, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE]) {
      expect(limiter.consume("client", cost)).to.deep.equal({
        kind: "limited",
        limit: 10,
        remaining: 5,
        resetMs: 0,
        retryAfterMs: Infinity,
      });
    }
  });

  for (const cost of [-1, -1000, 0.5, NaN, Infinity, -Infinity]) {
    it(`refuses a cost of ${cost}`, () => {
      const { limiter } = benchOf({ limit: 10, windowMs: 1000 });
      expect(() => limiter.consume("client", cost)).to.throw(RangeError, /"cost".*got/);
    });
  }

  for (const cost of ["1", 1n, null, {}]) {
    it(`refuses a cost of type ${cost === null ? "null" : typeof cost}`, () => {
      const { limiter } = benchOf({ limit: 10, windowMs: 1000 });
      expect(() => limiter.consume("client", cost as number)).to.throw(TypeError, /"cost"/);
    });
  }

  for (const key of [undefined, null, 1, Symbol("key"), Promise.resolve("key")]) {
    it(`refuses a key of type ${key === null ? "null" : typeof key} and does not echo it`, () => {
      const { limiter } = benchOf({ limit: 10, windowMs: 1000 });
      for (const method of ["consume", "peek", "reset"] as const) {
        expect(() => limiter[method](key as never)).to.throw(TypeError, /key must be a string/);
      }
    });
  }
});

describe("createLimiter() at the bounds", () => {
  it("refuses every request at a limit of 0 and names no time to come back", () => {
    const bench = benchOf({ limit: 0, windowMs: 1000 });
    const refused = { kind: "limited", limit: 0, remaining: 0, resetMs: 0, retryAfterMs: Infinity };
    expect(bench.at(0).consume("client")).to.deep.equal(refused);
    expect(bench.at(1e9).consume("client")).to.deep.equal(refused);
    expect(bench.at(1e9).peek("client")).to.deep.equal(refused);
  });

  const DAY_MS = 86_400_000;
  for (const windowMs of [1, 500, 30 * DAY_MS, 366 * DAY_MS]) {
    it(`holds a limit of 3 per ${windowMs} ms for the whole window`, () => {
      const bench = benchOf({ limit: 3, windowMs });
      expect(admittedOf(bench.at(7), 10)).to.equal(3);
      expect(admittedOf(bench.at(7 + windowMs / 3 - 0.001), 10)).to.equal(0);
      expect(admittedOf(bench.at(7 + windowMs), 10)).to.equal(3);
    });
  }

  it("admits a limit of 1,000,000,000 exactly and then no more", () => {
    const { limiter } = benchOf({ limit: 1_000_000_000, windowMs: 366 * DAY_MS });
    expect(limiter.consume("client", 999_999_999).remaining).to.equal(1);
    expect(admittedOf(limiter, 5)).to.equal(1);
  });

  it("never admits more than a limit that does not divide its window", () => {
    const bench = benchOf({ limit: 999_983, windowMs: 1000, burst: 50 });
    let admitted = 0;
    for (let us = 0; us < 10_000; us += 0.5) admitted += admittedOf(bench.at(us / 1000), 1);
    expect(admitted).to.be.within(9_900, 50 + Math.floor(0.01 * 999_983));
  });

  it("stays exact after two years of uptime", () => {
    const bench = benchOf({ limit: 100, windowMs: 60_000 });
    const uptimeMs = 730 * DAY_MS;
    expect(admittedOf(bench.at(uptimeMs), 200)).to.equal(100);
    expect(admittedOf(bench.at(uptimeMs + 600), 200)).to.equal(1);
  });
});

describe("createLimiter() clock", () => {
  it("blocks a key for one burst at most when the clock steps back an hour", () => {
    const bench = benchOf({ limit: 10, windowMs: 1000 });
    expect(admittedOf(bench.at(3_600_000), 20)).to.equal(10);
    expect(admittedOf(bench.at(0), 20)).to.equal(0);
    expect(admittedOf(bench.at(1000), 20)).to.equal(10);
  });

  it("frees a key, and nothing more, when the clock jumps a day ahead", () => {
    const bench = benchOf({ limit: 10, windowMs: 1000 });
    admittedOf(bench.at(0), 20);
    expect(admittedOf(bench.at(86_400_000), 20)).to.equal(10);
  });

  it("refuses a clock that counts from 1970 and names what it wants", () => {
    const policy = { limit: 1, windowMs: 1000 };
    expect(() => createLimiter(policy, { clock: Date.now })).to.throw(RangeError, /recent origin/);
    expect(() => createLimiter(policy, { clock: () => NaN })).to.throw(RangeError, /got NaN/);
    expect(() => createLimiter(policy, { clock: 5 as never })).to.throw(TypeError, /"clock"/);
  });

  it("limits while the clock reads NaN, and recovers after it", () => {
    const bench = benchOf({ limit: 2, windowMs: 1000 });
    expect(admittedOf(bench.at(NaN), 5)).to.equal(0);
    expect(admittedOf(bench.at(1), 5)).to.equal(2);
  });
});

describe("createLimiter() store", () => {
  for (const [what, garbage] of [
    ["NaN", NaN],
    ["-1", -1],
    ["Infinity", Infinity],
    ["undefined", undefined],
    ["text", "abc"],
    ["a promise", Promise.resolve(0)],
  ] as const) {
    it(`limits when the store answers ${what}`, () => {
      const store: Store = {
        ledger: () => ({ ...SILENT, charge: () => garbage as number }),
      };
      const { limiter } = benchOf({ limit: 10, windowMs: 1000 }, store);
      for (const decision of [limiter.consume("client"), limiter.peek("client")]) {
        expect(decision).to.deep.equal({
          kind: "limited",
          limit: 10,
          remaining: 0,
          resetMs: 1000,
          retryAfterMs: 100,
        });
      }
    });
  }

  it("keeps policies of different names apart in one store", () => {
    const store = new MemoryStore();
    const login = benchOf({ name: "login", limit: 1, windowMs: 1000 }, store);
    const search = benchOf({ name: "search", limit: 1, windowMs: 1000 }, store);
    expect(admittedOf(login.limiter, 3)).to.equal(1);
    expect(admittedOf(search.limiter, 3)).to.equal(1);
  });

  it("carries debts over to a new limit under the same name, clamped to the new burst", () => {
    const store = new MemoryStore();
    const before = benchOf({ limit: 100, windowMs: 60_000 }, store);
    expect(admittedOf(before.limiter, 100)).to.equal(100);
    const after = benchOf({ limit: 10, windowMs: 10_000 }, store);
    expect(admittedOf(after.at(0), 20)).to.equal(0);
    expect(admittedOf(after.at(1000), 20)).to.equal(1);
    expect(admittedOf(after.at(11_000), 20)).to.equal(10);
  });
});
