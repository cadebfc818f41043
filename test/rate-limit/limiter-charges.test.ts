import {
  type Limiter,
  type PolicyCharge,
  type RateLimitPolicy,
  MemoryStore,
  compositeKey,
  consumeAll,
  createConcurrencyLimiter,
  createLimiter,
  prometheusText,
} from "@hauberk/rate-limit";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";

function benchOf(policy: RateLimitPolicy, store = new MemoryStore()): { at(ms: number): Limiter } {
  let now = 0;
  const limiter = createLimiter(policy, { clock: () => now, store });
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

describe("Limiter.refund()", () => {
  it("gives back what was charged, and never more than is owed", () => {
    const limiter = benchOf({ limit: 5, windowMs: 1000 }).at(0);
    admittedOf(limiter, 5);
    limiter.refund("client", 2);
    expect(admittedOf(limiter, 9)).to.equal(2);
    limiter.refund("client", 1_000_000);
    expect(admittedOf(limiter, 9)).to.equal(5);
    limiter.refund("nobody");
    expect(admittedOf(limiter, 9, "nobody")).to.equal(5);
  });

  it("does not free a blocked key", () => {
    const limiter = benchOf({ limit: 5, windowMs: 1000 }).at(0);
    limiter.block("client", 1000);
    limiter.refund("client", 5);
    expect(limiter.peek("client").kind).to.equal("limited");
  });

  it("leaves a rejected charge without effect whatever the cost", () => {
    const limiter = benchOf({ limit: 5, windowMs: 1000 }).at(0);
    for (const cost of [-1, 0.5, NaN, Infinity, "1" as never]) {
      expect(() => limiter.refund("client", cost)).to.throw(Error, /"cost"/);
      expect(() => limiter.charge("client", cost)).to.throw(Error, /"cost"/);
      expect(() => limiter.peek("client", cost)).to.throw(Error, /"cost"/);
    }
    expect(admittedOf(limiter, 9)).to.equal(5);
  });
});

describe("Limiter.charge()", () => {
  it("adds to the debt without deciding, up to the burst", () => {
    const bench = benchOf({ limit: 10, windowMs: 1000 });
    bench.at(0).charge("client", 7);
    expect(bench.at(0).peek("client").remaining).to.equal(3);
    bench.at(0).charge("client", 100);
    expect(bench.at(0).consume("client")).to.deep.include({ kind: "limited", retryAfterMs: 100 });
    bench.at(0).charge("client", 1);
    expect(admittedOf(bench.at(1000), 20)).to.equal(10);
  });
});

describe("Limiter.block()", () => {
  it("refuses a key for the time it is told, and says how much of it is left", () => {
    const bench = benchOf({ limit: 5, windowMs: 1000 });
    admittedOf(bench.at(0), 2);
    bench.at(0).block("client", 60_000);
    const expected = { kind: "limited", limit: 5, remaining: 0, resetMs: 100, retryAfterMs: 100 };
    expect(bench.at(59_900).consume("client")).to.deep.equal(expected);
    expect(bench.at(59_900).consume("client", 5)).to.deep.equal(expected);
    expect(bench.at(59_900).peek("client")).to.deep.equal(expected);
    expect(bench.at(59_900).consume("client", 6)).to.deep.include({ retryAfterMs: Infinity });
    expect(admittedOf(bench.at(60_000), 9)).to.equal(5);
  });

  it("leaves other keys and policies alone", () => {
    const store = new MemoryStore();
    const search = benchOf({ name: "search", limit: 5, windowMs: 1000 }, store);
    const login = benchOf({ name: "login", limit: 5, windowMs: 1000 }, store);
    login.at(0).block("client", 60_000);
    expect(admittedOf(search.at(0), 9)).to.equal(5);
    expect(admittedOf(login.at(0), 9, "other")).to.equal(5);
  });

  it("is lifted by unblock, which takes no debt away, and by reset", () => {
    const limiter = benchOf({ limit: 5, windowMs: 1000 }).at(0);
    limiter.block("client", 60_000);
    limiter.unblock("client");
    expect(admittedOf(limiter, 9)).to.equal(5);
    limiter.unblock("client");
    expect(admittedOf(limiter, 9)).to.equal(0);
    limiter.unblock("nobody");
    limiter.block("client", 60_000);
    limiter.reset("client");
    expect(admittedOf(limiter, 9)).to.equal(5);
  });

  it("is replaced by a later one, shorter or longer", () => {
    const bench = benchOf({ limit: 5, windowMs: 1000 });
    bench.at(0).block("client", 60_000);
    bench.at(0).block("client", 10);
    expect(bench.at(10).consume("client").kind).to.equal("admitted");
  });

  it("outlives a flood of keys in debt", () => {
    const store = new MemoryStore({ capacity: 8 });
    const limiter = benchOf({ limit: 5, windowMs: 1000 }, store).at(0);
    limiter.block("client", 60_000);
    for (let index = 0; index < 1000; index++) limiter.consume(`flood-${index}`, 5);
    expect(limiter.peek("client").kind).to.equal("limited");
  });

  for (const durationMs of [0, -1, 0.5, NaN, Infinity, 366 * 86_400_000 + 1]) {
    it(`refuses a duration of ${durationMs}`, () => {
      const limiter = benchOf({ limit: 5, windowMs: 1000 }).at(0);
      expect(() => limiter.block("client", durationMs)).to.throw(RangeError, /"durationMs"/);
    });
  }
});

describe("MemoryStore.top()", () => {
  it("names the worst debtors of those that were refused, worst first", () => {
    const store = new MemoryStore();
    const limiter = benchOf({ name: "api", limit: 10, windowMs: 10_000 }, store).at(0);
    limiter.consume("quiet", 9);
    for (const [key, durationMs] of [
      ["blocked", 60_000],
      ["limited", 0],
    ] as const) {
      if (durationMs > 0) limiter.block(key, durationMs);
      admittedOf(limiter, 11, key);
    }
    expect(store.top(5)).to.deep.equal([
      { policyName: "api", key: "blocked", debtMs: 60_000 },
      { policyName: "api", key: "limited", debtMs: 10_000 },
    ]);
    expect(store.top(1)).to.have.lengthOf(1);
    expect(() => store.top(0)).to.throw(RangeError, /from 1 to 1024/);
  });

  it("forgets those whose debt is drained, and those that were pushed out", () => {
    const store = new MemoryStore({ capacity: 8 });
    const bench = benchOf({ limit: 1, windowMs: 1000 }, store);
    admittedOf(bench.at(0), 2, "drained");
    expect(store.top(9)).to.have.lengthOf(1);
    bench.at(1000).consume("other");
    expect(store.top(9)).to.deep.equal([]);
  });

  it("keeps 1,024 names at most, and 64 characters of each", () => {
    const store = new MemoryStore();
    const limiter = benchOf({ limit: 1, windowMs: 1000 }, store).at(0);
    const tail = "x".repeat(100_000);
    for (let index = 0; index < 3000; index++) admittedOf(limiter, 2, `${index}-${tail}`);
    const top = store.top(1024);
    expect(top).to.have.lengthOf(1024);
    expect(Math.max(...top.map(({ key }) => key.length))).to.equal(64);
    expect(top.some(({ key }) => key.startsWith("2999-"))).to.equal(true);
  });
});

describe("MemoryStore.occupied()", () => {
  it("counts the keys in debt and the blocked ones, as of the latest charge", () => {
    const store = new MemoryStore();
    const bench = benchOf({ limit: 2, windowMs: 1000 }, store);
    for (let index = 0; index < 100; index++) bench.at(0).consume(`client-${index}`);
    bench.at(0).block("blocked", 10_000);
    expect(store.occupied()).to.equal(101);
    bench.at(500).consume("later");
    expect(store.occupied()).to.equal(2);
  });
});

describe("RateLimitPolicy.delayAfter", () => {
  it("admits the first of a burst at once and paces the others, as nginx does", () => {
    const bench = benchOf({ limit: 10, windowMs: 1000, burst: 5, delayAfter: 2 });
    const delays = Array.from({ length: 6 }, () => {
      const decision = bench.at(0).consume("client");
      return decision.kind === "admitted" ? decision.delayMs : decision.kind;
    });
    expect(delays).to.deep.equal([0, 0, 100, 200, 300, "limited"]);
    expect(bench.at(150).consume("client")).to.deep.include({ kind: "admitted", delayMs: 250 });
    expect(bench.at(10_000).consume("client", 3)).to.deep.include({ delayMs: 100 });
  });

  for (const delayAfter of [0, 6, 0.5, NaN]) {
    it(`refuses ${delayAfter} beside a burst of 5`, () => {
      const policy = { limit: 10, windowMs: 1000, burst: 5, delayAfter };
      expect(() => createLimiter(policy)).to.throw(RangeError, /"delayAfter".*from 1 to 5/);
    });
  }

  it("refuses waits of more than an hour", () => {
    const policy = { limit: 10, windowMs: 3_600_000, burst: 12, delayAfter: 1 };
    expect(() => createLimiter(policy)).to.throw(RangeError, /"delayAfter".*an hour/);
    expect(createLimiter({ ...policy, burst: 11 }).policy.delayAfter).to.equal(1);
  });
});

describe("consumeAll()", () => {
  function chargesOf(limits: readonly number[], cost = 1): PolicyCharge[] {
    const store = new MemoryStore();
    return limits.map((limit, index) => {
      const limiter = benchOf({ name: `p${index}`, limit, windowMs: 1000 * (index + 1) }, store);
      return { limiter: limiter.at(0), key: `key-${index}`, cost };
    });
  }

  it("charges every policy when all admit, and reports the tightest", () => {
    const charges = chargesOf([5, 3, 9]);
    const decision = consumeAll(charges);
    expect(decision).to.deep.include({ kind: "admitted", limit: 3, remaining: 2 });
    expect(decision.policy.name).to.equal("p1");
    expect(decision.decisions.map(({ policy }) => policy.name)).to.deep.equal(["p0", "p1", "p2"]);
    expect(charges.map(({ limiter, key }) => limiter.peek(key).remaining)).to.deep.equal([4, 2, 8]);
  });

  it("charges none when one refuses, wherever it stands, and names the longest wait", () => {
    for (const limits of [
      [2, 9, 9],
      [9, 2, 9],
      [9, 9, 2],
    ]) {
      const charges = chargesOf(limits);
      consumeAll(charges);
      consumeAll(charges);
      const decision = consumeAll(charges);
      expect(decision).to.deep.include({ kind: "limited", limit: 2, remaining: 0 });
      const remaining = charges.map(({ limiter, key }) => limiter.peek(key).remaining);
      expect(remaining).to.deep.equal(limits.map((limit) => limit - 2));
    }
    const both = chargesOf([1, 1]);
    consumeAll(both);
    expect(consumeAll(both)).to.deep.include({ kind: "limited", retryAfterMs: 2000 });
  });

  it("gives everything back when another thread charges between reading and charging", () => {
    const [first, second] = chargesOf([5, 5]) as [PolicyCharge, PolicyCharge];
    const raced: Limiter = {
      ...second.limiter,
      consume(key, cost) {
        second.limiter.charge(key, 5);
        return second.limiter.consume(key, cost);
      },
    };
    const decision = consumeAll([first, { ...second, limiter: raced }]);
    expect(decision.kind).to.equal("limited");
    expect(first.limiter.peek(first.key).remaining).to.equal(5);
  });

  it("adds up the longest delay", () => {
    const slow = benchOf({ name: "slow", limit: 10, windowMs: 1000, delayAfter: 1 }).at(0);
    const fast = benchOf({ name: "fast", limit: 2, windowMs: 1000 }).at(0);
    const charges = [slow, fast].map((limiter) => ({ limiter, key: "client" }));
    consumeAll(charges);
    expect(consumeAll(charges)).to.deep.include({ kind: "admitted", limit: 2, delayMs: 100 });
  });

  it("never admits more than any of its policies would, whatever the costs", () => {
    const run = fc.record({
      limits: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 }),
      costs: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 40 }),
    });
    fc.assert(
      fc.property(run, ({ limits, costs }) => {
        const charges = chargesOf(limits);
        let admitted = 0;
        for (const cost of costs) {
          const decision = consumeAll(charges.map((charge) => ({ ...charge, cost })));
          if (decision.kind === "admitted") admitted += cost;
        }
        expect(admitted).to.be.at.most(Math.min(...limits));
        const remaining = charges.map(({ limiter, key }) => limiter.peek(key).remaining);
        expect(remaining).to.deep.equal(limits.map((limit) => limit - admitted));
      }),
    );
  });

  it("refuses to decide without a policy", () => {
    expect(() => consumeAll([])).to.throw(TypeError, /without a policy/);
  });
});

describe("compositeKey()", () => {
  it("never joins different parts into one key", () => {
    expect(compositeKey("a_b", "c")).to.not.equal(compositeKey("a", "b_c"));
    expect(compositeKey("a:1", "1:b")).to.not.equal(compositeKey("a", "1:1:b"));
    const parts = fc.array(fc.string({ unit: fc.constantFrom("0", "1", ":", "a") }), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        expect(compositeKey(...one) === compositeKey(...other)).to.equal(isSame);
      }),
    );
  });

  it("refuses what is no string", () => {
    expect(() => compositeKey("user", undefined as never)).to.throw(TypeError, /undefined/);
  });
});

describe("createConcurrencyLimiter()", () => {
  it("admits the limit at once, and the next when one is released", () => {
    const limiter = createConcurrencyLimiter({ limit: 2 });
    const first = limiter.acquire("client");
    expect(first).to.deep.include({ kind: "admitted", limit: 2, remaining: 1 });
    limiter.acquire("client");
    expect(limiter.acquire("client")).to.deep.equal({ kind: "limited", limit: 2, remaining: 0 });
    expect(limiter.acquire("other").kind).to.equal("admitted");
    if (first.kind === "admitted") {
      first.release();
      first.release();
    }
    expect(limiter.inProgress("client")).to.equal(1);
    expect(limiter.acquire("client").kind).to.equal("admitted");
    expect(limiter.acquire("client").kind).to.equal("limited");
  });

  it("remembers no key that has nothing in progress", () => {
    const limiter = createConcurrencyLimiter({ limit: 1 });
    const place = limiter.acquire("client");
    if (place.kind === "admitted") place.release();
    expect(limiter.inProgress("client")).to.equal(0);
  });

  it("refuses limits and keys that are none", () => {
    expect(() => createConcurrencyLimiter({ limit: NaN })).to.throw(RangeError, /"limit"/);
    expect(() => createConcurrencyLimiter({ limits: 1 } as never)).to.throw(TypeError, /"limit"\?/);
    const limiter = createConcurrencyLimiter({ limit: 0 });
    expect(limiter.acquire("client").kind).to.equal("limited");
    expect(() => limiter.acquire(1 as never)).to.throw(TypeError, /must be a string/);
  });
});

describe("Limiter.metrics()", () => {
  it("counts decisions of consume and shows the table", () => {
    const store = new MemoryStore({ capacity: 64 });
    const limiter = benchOf({ name: "api", limit: 2, windowMs: 1000 }, store).at(0);
    admittedOf(limiter, 5);
    limiter.peek("client");
    expect(limiter.metrics()).to.deep.equal({
      policyName: "api",
      admitted: 2,
      limited: 3,
      table: { occupied: 1, capacity: 64 },
    });
  });

  it("are written in the text format of Prometheus", () => {
    const text = prometheusText([
      {
        policyName: 'the "big" \\ one',
        admitted: 2,
        limited: 3,
        fallback: 1,
        breaker: "half-open",
        table: { occupied: 1, capacity: 64 },
      },
      { policyName: "login", admitted: 0, limited: 0, dryRunLimited: 7, unavailable: 4 },
    ]);
    expect(text).to.equal(
      String.raw`# HELP rate_limit_decisions_total Requests by what the policy decided.
# TYPE rate_limit_decisions_total counter
rate_limit_decisions_total{policy="the \"big\" \\ one",decision="admitted"} 2
rate_limit_decisions_total{policy="the \"big\" \\ one",decision="limited"} 3
rate_limit_decisions_total{policy="login",decision="admitted"} 0
rate_limit_decisions_total{policy="login",decision="limited"} 0
rate_limit_decisions_total{policy="login",decision="dry_run_limited"} 7
rate_limit_decisions_total{policy="login",decision="unavailable"} 4
# HELP rate_limit_fallback_decisions_total Requests decided in the process, for lack of an answer from the store.
# TYPE rate_limit_fallback_decisions_total counter
rate_limit_fallback_decisions_total{policy="the \"big\" \\ one"} 1
# HELP rate_limit_breaker_state State of the circuit breaker before the store: 1 for the one it is in.
# TYPE rate_limit_breaker_state gauge
rate_limit_breaker_state{policy="the \"big\" \\ one",state="closed"} 0
rate_limit_breaker_state{policy="the \"big\" \\ one",state="half-open"} 1
rate_limit_breaker_state{policy="the \"big\" \\ one",state="open"} 0
# HELP rate_limit_table_keys Keys in debt in the table of the store.
# TYPE rate_limit_table_keys gauge
rate_limit_table_keys{policy="the \"big\" \\ one"} 1
# HELP rate_limit_table_capacity Keys that the table of the store has room for.
# TYPE rate_limit_table_capacity gauge
rate_limit_table_capacity{policy="the \"big\" \\ one"} 64
`,
    );
    expect(prometheusText([])).to.equal("");
  });
});
