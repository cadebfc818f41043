import {
  type Limiter,
  type RateLimitPolicy,
  MemoryStore,
  createLimiter,
} from "@hauberk/rate-limit";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";

const TICK_MS = 1 / 90_090;

interface Arrivals {
  readonly limit: number;
  readonly windowMs: number;
  /** Pause before each request, and its cost. Milliseconds. */
  readonly requests: readonly { readonly pauseMs: number; readonly cost: number }[];
}

const arrivals: fc.Arbitrary<Arrivals> = fc
  .record({ limit: fc.integer({ min: 1, max: 20 }), windowMs: fc.integer({ min: 1, max: 100 }) })
  .chain(({ limit, windowMs }) =>
    fc.record({
      limit: fc.constant(limit),
      windowMs: fc.constant(windowMs),
      requests: fc.array(
        fc.record({
          pauseMs: fc.oneof(
            fc.constant(0),
            fc.constant(windowMs),
            fc.integer({ min: 0, max: windowMs }),
            fc.double({ min: 0, max: windowMs / 4, noNaN: true }),
          ),
          cost: fc.integer({ min: 1, max: Math.ceil(limit / 3) }),
        }),
        { minLength: 1, maxLength: 120 },
      ),
    }),
  );

interface Entry {
  readonly timeMs: number;
  readonly cost: number;
}

/** Runs the arrivals and returns the exact log of what was admitted. */
function admittedLog(run: Arrivals, policy: Partial<RateLimitPolicy>): Entry[] {
  let now = 0;
  const { limit, windowMs, requests } = run;
  const limiter = createLimiter({ limit, windowMs, ...policy }, { clock: () => now });
  const log: Entry[] = [];
  for (const { pauseMs, cost } of requests) {
    now += pauseMs;
    if (limiter.consume("client", cost).kind === "admitted") log.push({ timeMs: now, cost });
  }
  return log;
}

/** Returns the most that was admitted in any half-open period of `periodMs`. */
function mostIn(log: readonly Entry[], periodMs: number): number {
  return Math.max(
    0,
    ...log.map(({ timeMs: start }) =>
      log
        // Readings of the clock are cut to whole ticks: what is closer to the end may be past it.
        .filter(({ timeMs }) => timeMs >= start && timeMs - start < periodMs - TICK_MS)
        .reduce((sum, { cost }) => sum + cost, 0),
    ),
  );
}

function benchOf(policy: RateLimitPolicy, store?: MemoryStore): { at(ms: number): Limiter } {
  let now = 0;
  const options = { clock: () => now, ...(store !== undefined && { store }) };
  const limiter = createLimiter(policy, options);
  return {
    at(ms) {
      now = ms;
      return limiter;
    },
  };
}

function admittedOf(limiter: Limiter, count: number, key = "client"): number {
  let admitted = 0;
  for (let index = 0; index < count; index++) {
    if (limiter.consume(key).kind === "admitted") admitted++;
  }
  return admitted;
}

const WINDOW_ALGORITHMS = ["fixed-window", "sliding-log", "sub-buckets"] as const;

for (const [what, policy] of [
  ["a sliding log", { algorithm: "sliding-log" }],
  ["sub-buckets", { algorithm: "sub-buckets" }],
  ["strict GCRA", { strict: true }],
] as const) {
  describe(`The bound of ${what}`, () => {
    it("is the limit in any window", () => {
      fc.assert(
        fc.property(arrivals, (run) => {
          expect(mostIn(admittedLog(run, policy), run.windowMs)).to.be.at.most(run.limit);
        }),
      );
    });
  });
}

describe("The bound of strict GCRA with any burst", () => {
  it("is the limit in any window, and is reached", () => {
    const bursts = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(arrivals, bursts, (run, wished) => {
        const burst = Math.min(wished, run.limit);
        const log = admittedLog(run, { strict: true, burst });
        expect(mostIn(log, run.windowMs)).to.be.at.most(run.limit);
      }),
    );
    const eager = { limit: 10, windowMs: 1000, burst: 4, strict: true };
    const bench = benchOf(eager);
    let admitted = 0;
    for (let ms = 0; ms < 1000; ms++) admitted += admittedOf(bench.at(ms), 1);
    expect(admitted).to.equal(3 + 7);
    expect(admittedOf(benchOf(eager).at(0), 20)).to.equal(4);
  });
});

describe("The bound of a fixed window", () => {
  it("is the limit per window, and twice it around the end of one", () => {
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 5 }), (run, windows) => {
        const log = admittedLog(run, { algorithm: "fixed-window" });
        const most = mostIn(log, windows * run.windowMs);
        expect(most).to.be.at.most((windows + 1) * run.limit);
      }),
    );
    const bench = benchOf({ limit: 5, windowMs: 1000, algorithm: "fixed-window" });
    expect(admittedOf(bench.at(0), 1)).to.equal(1);
    expect(admittedOf(bench.at(999), 9)).to.equal(4);
    expect(admittedOf(bench.at(1000), 9)).to.equal(5);
  });

  it("begins with the first request, as in express-rate-limit", () => {
    const bench = benchOf({ limit: 2, windowMs: 1000, algorithm: "fixed-window" });
    expect(admittedOf(bench.at(700), 3)).to.equal(2);
    expect(bench.at(1600).consume("client")).to.deep.equal({
      kind: "limited",
      limit: 2,
      remaining: 0,
      resetMs: 100,
      retryAfterMs: 100,
    });
    expect(admittedOf(bench.at(1700), 3)).to.equal(2);
  });
});

describe("A sliding log", () => {
  it("admits exactly what an exact log admits", () => {
    fc.assert(
      fc.property(arrivals, (run) => {
        const wholeMs = {
          ...run,
          requests: run.requests.map(({ pauseMs, cost }) => ({
            pauseMs: Math.floor(pauseMs),
            cost,
          })),
        };
        const kept: Entry[] = [];
        let now = 0;
        for (const { pauseMs, cost } of wholeMs.requests) {
          now += pauseMs;
          const live = kept.filter(({ timeMs }) => now - timeMs < run.windowMs);
          const used = live.reduce((sum, entry) => sum + entry.cost, 0);
          if (used + cost <= run.limit) kept.push({ timeMs: now, cost });
        }
        expect(admittedLog(wholeMs, { algorithm: "sliding-log" })).to.deep.equal(kept);
      }),
    );
  });

  it("takes limits up to 64", () => {
    const policy = { windowMs: 1000, algorithm: "sliding-log" } as const;
    expect(admittedOf(benchOf({ ...policy, limit: 64 }).at(1), 100)).to.equal(64);
    expect(() => createLimiter({ ...policy, limit: 65 })).to.throw(RangeError, /from 0 to 64/);
  });

  it("keeps its times when the limit is raised and lowered", () => {
    const store = new MemoryStore({ capacity: 8 });
    const policy = { windowMs: 1000, algorithm: "sliding-log" } as const;
    const [small, large] = [5, 60].map((limit) => benchOf({ ...policy, limit }, store));
    expect(admittedOf(small!.at(0), 10)).to.equal(5);
    expect(admittedOf(large!.at(500), 100)).to.equal(55);
    expect(admittedOf(small!.at(999), 10)).to.equal(0);
    expect(admittedOf(small!.at(1400), 10)).to.equal(0);
    expect(admittedOf(small!.at(1500), 10)).to.equal(5);
  });
});

describe("Sub-buckets", () => {
  it("give back a request between a window and a window and a tenth later", () => {
    for (const offset of [0, 1, 50, 99]) {
      const bench = benchOf({ limit: 1, windowMs: 1000, algorithm: "sub-buckets" });
      expect(admittedOf(bench.at(offset), 5)).to.equal(1);
      expect(admittedOf(bench.at(offset + 999), 5)).to.equal(0);
      const decision = bench.at(offset + 999).peek("client");
      if (decision.kind !== "limited") throw new Error("expected a limited decision");
      expect(offset + 999 + decision.retryAfterMs).to.equal(1100);
      expect(admittedOf(bench.at(1100), 5)).to.equal(1);
    }
  });

  it("count everything for one more window when the window is another", () => {
    const store = new MemoryStore();
    const policy = { limit: 3, algorithm: "sub-buckets" } as const;
    expect(admittedOf(benchOf({ ...policy, windowMs: 1000 }, store).at(5000), 5)).to.equal(3);
    const shorter = benchOf({ ...policy, windowMs: 100 }, store);
    expect(admittedOf(shorter.at(5050), 5)).to.equal(0);
    expect(admittedOf(shorter.at(5160), 5)).to.equal(3);
  });
});

for (const algorithm of WINDOW_ALGORITHMS) {
  describe(`createLimiter() with ${algorithm}`, () => {
    const policy = { limit: 4, windowMs: 1000, algorithm } as const;

    it("counts down, refuses, and admits again when retryAfterMs has passed", () => {
      const bench = benchOf(policy);
      const first = bench.at(0).consume("client", 3);
      expect(first).to.deep.include({ kind: "admitted", limit: 4, remaining: 1, delayMs: 0 });
      const refused = bench.at(10).consume("client", 2);
      if (refused.kind !== "limited") throw new Error("expected a limited decision");
      expect(refused).to.deep.include({ limit: 4, remaining: 1 });
      expect(refused.retryAfterMs).to.be.at.most(1100);
      expect(bench.at(9 + refused.retryAfterMs).peek("client", 2).kind).to.equal("limited");
      expect(bench.at(10 + refused.retryAfterMs).peek("client", 2).kind).to.equal("admitted");
    });

    it("never admits a cost above the limit, and says so", () => {
      const { retryAfterMs } = benchOf(policy).at(0).consume("client", 5) as never;
      expect(retryAfterMs).to.equal(Infinity);
      expect(
        benchOf({ ...policy, limit: 0 })
          .at(0)
          .consume("client").kind,
      ).to.equal("limited");
    });

    it("peeks without counting, and gives back what is refunded", () => {
      const limiter = benchOf(policy).at(0);
      for (let index = 0; index < 9; index++) limiter.peek("client", 4);
      expect(admittedOf(limiter, 9)).to.equal(4);
      limiter.refund("client", 3);
      expect(admittedOf(limiter, 9)).to.equal(3);
      limiter.refund("client", 1000);
      expect(admittedOf(limiter, 9)).to.equal(4);
      limiter.refund("nobody");
    });

    it("charges afterwards as far as the limit goes", () => {
      const limiter = benchOf(policy).at(0);
      limiter.consume("client");
      limiter.charge("client", 2);
      expect(limiter.peek("client").remaining).to.equal(1);
      limiter.charge("client", 100);
      expect(limiter.peek("client").remaining).to.equal(0);
      limiter.charge("client", 1);
      expect(admittedOf(limiter, 3)).to.equal(0);
    });

    it("blocks a key for the time it is told, whatever it owes, and then starts it anew", () => {
      const bench = benchOf(policy);
      admittedOf(bench.at(0), 2);
      bench.at(0).block("client", 5000);
      expect(bench.at(4999).consume("client")).to.deep.equal({
        kind: "limited",
        limit: 4,
        remaining: 0,
        resetMs: 1,
        retryAfterMs: 1,
      });
      expect(admittedOf(bench.at(5000), 9)).to.equal(4);
      bench.at(5000).unblock("client");
      expect(admittedOf(bench.at(5000), 9)).to.equal(0);
      bench.at(5000).block("other", 1000);
      bench.at(5000).unblock("other");
      expect(admittedOf(bench.at(5000), 9, "other")).to.equal(4);
    });

    it("forgets a key on reset, and only that one", () => {
      const limiter = benchOf(policy).at(0);
      admittedOf(limiter, 4);
      limiter.reset("other");
      expect(admittedOf(limiter, 1)).to.equal(0);
      limiter.reset("client");
      expect(admittedOf(limiter, 9)).to.equal(4);
    });

    it("blocks a key for a window and a step at most when the clock steps back an hour", () => {
      const bench = benchOf(policy);
      expect(admittedOf(bench.at(3_600_000), 9)).to.equal(4);
      expect(admittedOf(bench.at(0), 9)).to.equal(0);
      expect(admittedOf(bench.at(1100), 9)).to.equal(4);
    });

    it("keeps what the worst have used when its table is full", () => {
      const store = new MemoryStore({ capacity: 8 });
      const limiter = benchOf({ ...policy, limit: 10 }, store).at(0);
      limiter.consume("abuser", 10);
      for (let index = 0; index < 1000; index++) limiter.consume(`flood-${index}`);
      expect(limiter.peek("abuser").kind).to.equal("limited");
    });

    it("keeps policies of different names and algorithms apart in one store", () => {
      const store = new MemoryStore();
      expect(admittedOf(benchOf({ ...policy, name: "a" }, store).at(0), 9)).to.equal(4);
      expect(admittedOf(benchOf({ ...policy, name: "b" }, store).at(0), 9)).to.equal(4);
      expect(admittedOf(benchOf({ ...policy, name: "a" }, store).at(0), 9)).to.equal(0);
      expect(admittedOf(benchOf({ limit: 4, windowMs: 1000, name: "a" }, store).at(0), 9)).to.equal(
        4,
      );
    });

    it("needs a MemoryStore", () => {
      const store = { ledger: () => new MemoryStore().ledger("x") };
      expect(() => createLimiter(policy, { store })).to.throw(TypeError, /must be a MemoryStore/);
    });

    it("refuses what belongs to GCRA", () => {
      for (const option of [{ burst: 4 }, { strict: true }, { delayAfter: 1 }]) {
        expect(() => createLimiter({ ...policy, ...option })).to.throw(TypeError, /"gcra" only/);
      }
    });

    for (const windowMs of [1, 86_400_000 * 30, 86_400_000 * 366]) {
      it(`holds for a window of ${windowMs} ms`, () => {
        const bench = benchOf({ ...policy, windowMs });
        expect(admittedOf(bench.at(7), 9)).to.equal(4);
        expect(admittedOf(bench.at(7 + windowMs - 0.001), 9)).to.equal(0);
        expect(admittedOf(bench.at(7 + windowMs * 1.1), 9)).to.equal(4);
      });
    }
  });
}

describe("RateLimitPolicy algorithm", () => {
  it("is one of four", () => {
    const policy = { limit: 1, windowMs: 1000, algorithm: "leaky" as never };
    expect(() => createLimiter(policy)).to.throw(
      TypeError,
      '"algorithm" must be one of "gcra", "fixed-window", "sliding-log", "sub-buckets", got "leaky"',
    );
  });
});
