import {
  type Decision,
  type RateLimitPolicy,
  createLimiter,
  rateLimitFields,
} from "@hauberk/rate-limit";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";

const POLICY: RateLimitPolicy = { limit: 100, windowMs: 60_000 };

function fieldsAfter(
  policy: RateLimitPolicy,
  requests: number,
  cost?: number,
): Record<string, string> {
  const limiter = createLimiter(policy, { clock: () => 0 });
  let decision: Decision = limiter.peek("client");
  for (let index = 0; index < requests; index++) decision = limiter.consume("client", cost);
  return toRecord(rateLimitFields(limiter.policy, decision));
}

function toRecord(fields: readonly string[]): Record<string, string> {
  const pairs = fields.flatMap((name, index) =>
    index % 2 === 0 ? [[name, fields[index + 1]!] as const] : [],
  );
  return Object.fromEntries(pairs);
}

describe("rateLimitFields()", () => {
  it("writes the fields of the draft as one flat list", () => {
    const decision = {
      kind: "admitted",
      limit: 100,
      remaining: 50,
      resetMs: 30_000,
      delayMs: 0,
    } as const;
    expect(rateLimitFields(POLICY, decision)).to.deep.equal([
      "ratelimit-policy",
      '"default";q=100;w=60',
      "ratelimit",
      '"default";r=50;t=30',
    ]);
  });

  it("adds Retry-After to a limited decision", () => {
    expect(fieldsAfter({ limit: 12, windowMs: 60_000 }, 13)).to.deep.equal({
      "ratelimit-policy": '"default";q=12;w=60',
      ratelimit: '"default";r=0;t=5',
      "retry-after": "5",
    });
  });

  it("names the time to the next request when the last one has just been used", () => {
    const fields = fieldsAfter({ limit: 12, windowMs: 60_000 }, 12);
    expect(fields["ratelimit"]).to.equal('"default";r=0;t=5');
    expect(fields).to.not.have.property("retry-after");
  });

  it("rounds seconds up", () => {
    expect(fieldsAfter({ limit: 10, windowMs: 500 }, 11)).to.deep.equal({
      "ratelimit-policy": '"default";q=10;w=1',
      ratelimit: '"default";r=0;t=1',
      "retry-after": "1",
    });
    expect(fieldsAfter({ limit: 2, windowMs: 2001 }, 3)["retry-after"]).to.equal("2");
  });

  it("gives no time for what will never be admitted", () => {
    expect(fieldsAfter({ limit: 0, windowMs: 60_000 }, 1)).to.deep.equal({
      "ratelimit-policy": '"default";q=0;w=60',
      ratelimit: '"default";r=0',
    });
    expect(fieldsAfter({ limit: 5, windowMs: 60_000 }, 1, 6)["ratelimit"]).to.equal(
      '"default";r=5',
    );
  });

  it("escapes the name as a structured string (RFC 9651 section 4.1.6)", () => {
    const fields = fieldsAfter({ ...POLICY, name: 'a"b\\c;q=1' }, 0);
    expect(fields["ratelimit-policy"]).to.equal('"a\\"b\\\\c;q=1";q=100;w=60');
    expect(fields["ratelimit"]).to.equal('"a\\"b\\\\c;q=1";r=100;t=0');
  });

  it("never lets Retry-After be earlier than t, or than the time the request needs", () => {
    const policies = fc.record({
      limit: fc.integer({ min: 1, max: 1000 }),
      windowMs: fc.integer({ min: 1, max: 100_000 }),
      burst: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 50 }), (policy, cost) => {
        fc.pre(cost <= policy.burst);
        const limiter = createLimiter(policy, { clock: () => 0 });
        let decision = limiter.consume("client", cost);
        while (decision.kind === "admitted") decision = limiter.consume("client", cost);
        const fields = toRecord(rateLimitFields(limiter.policy, decision));
        const t = Number(/;t=(\d+)$/.exec(fields["ratelimit"]!)![1]);
        expect(Number(fields["retry-after"])).to.be.at.least(t);
        expect(Number(fields["retry-after"]) * 1000).to.be.at.least(decision.retryAfterMs);
      }),
    );
  });

  it("never refuses a client that makes no more than r requests within t", () => {
    const policies = fc.record({
      limit: fc.integer({ min: 1, max: 20 }),
      windowMs: fc.integer({ min: 1000, max: 60_000 }),
      burst: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(policies, fc.integer({ min: 0, max: 25 }), (policy, used) => {
        let now = 0;
        const limiter = createLimiter(policy, { clock: () => now });
        let decision = limiter.peek("client");
        for (let index = 0; index < used; index++) decision = limiter.consume("client");
        const { ratelimit } = toRecord(rateLimitFields(limiter.policy, decision));
        const [, r, t] = /;r=(\d+);t=(\d+)$/.exec(ratelimit!)!;
        for (let index = 0; index < Number(r); index++) {
          expect(limiter.consume("client").kind).to.equal("admitted");
        }
        if (Number(r) > 0) return;
        now += Number(t) * 1000;
        expect(limiter.consume("client").kind).to.equal("admitted");
      }),
    );
  });
});
