import { inspect } from "node:util";
import {
  type RateLimitEvent,
  type RateLimitOptions,
  type RateLimitedRequest,
  type RateLimitPoliciesOptions,
  type RequestPolicy,
  type Store,
  prometheusText,
  rateLimit,
} from "@hauberk/rate-limit";
import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { HOSTS, type Middleware } from "../support/middleware-server.ts";
import {
  answerAsAsked,
  asking,
  closeServers,
  keyed,
  repliesTo,
  serve,
  statusesOf,
} from "../support/served-middleware.ts";
import { until } from "../support/until.ts";

const POLICY = { limit: 2, windowMs: 60_000, clock: () => 0 };

const byApiKey: NonNullable<RateLimitOptions["keyGenerator"]> = ({ headers }) =>
  String(headers["x-api-key"]);

afterEach(closeServers);

for (const host of HOSTS) {
  describe(`rateLimit() with several policies in ${host}`, () => {
    const policies: readonly RequestPolicy[] = [
      { name: "burst", limit: 2, windowMs: 1000 },
      { name: "daily", limit: 3, windowMs: 86_400_000, keyGenerator: byApiKey },
    ];

    it("charges none when one refuses, lists all, and names the one that refused", async () => {
      let now = 0;
      const server = await serve(host, rateLimit({ policies, clock: () => now }));
      const replies = await repliesTo(server, keyed("a", "a", "a"));
      expect(replies.map(({ status }) => status)).to.deep.equal([200, 200, 429]);
      const refused = replies[2]!;
      expect(refused.headers["ratelimit-policy"]).to.equal('"burst";q=2;w=1, "daily";q=3;w=86400');
      expect(refused.headers["ratelimit"]).to.equal('"burst";r=0;t=1, "daily";r=1;t=57600');
      expect(refused.headers["retry-after"]).to.equal("1");
      expect(JSON.parse(refused.body)).to.deep.include({ "violated-policies": ["burst"] });
      now = 1000;
      expect(await statusesOf(server, keyed("a", "a", "b"))).to.deep.equal([200, 429, 200]);
    });

    it("refuses for the longest wait when several refuse", async () => {
      const both: readonly RequestPolicy[] = [
        { name: "minute", limit: 1, windowMs: 60_000 },
        { name: "hour", limit: 1, windowMs: 3_600_000 },
      ];
      const server = await serve(host, rateLimit({ policies: both, clock: () => 0 }));
      const [, refused] = await repliesTo(server, [{}, {}]);
      expect(refused!.headers["retry-after"]).to.equal("3600");
      const { "violated-policies": violated } = JSON.parse(refused!.body) as Record<
        string,
        unknown
      >;
      expect(violated).to.deep.equal(["minute", "hour"]);
    });

    it("takes limits, windows and costs from the request, at once or later", async () => {
      const options: RateLimitOptions = {
        clock: () => 0,
        keyGenerator: byApiKey,
        limit: ({ headers }) => (headers["x-api-key"] === "paid" ? 4 : 2),
        windowMs: ({ headers }) => Promise.resolve(headers["x-api-key"] === "paid" ? 1000 : 60_000),
        cost: ({ method }) => (method === "POST" ? 2 : 1),
      };
      const server = await serve(host, rateLimit(options));
      const paid = keyed("paid")[0]!;
      const requests = [{ ...paid, method: "POST" }, paid, paid, paid];
      expect(await statusesOf(server, requests)).to.deep.equal([200, 200, 200, 429]);
      const free = keyed("free")[0]!;
      const [reply, refused] = await repliesTo(server, [{ ...free, method: "POST" }, free]);
      expect(reply!.headers["ratelimit-policy"]).to.equal('"default";q=2;w=60');
      expect(refused!.status).to.equal(429);
    });

    it("gives successful or failed requests back once they are answered", async () => {
      const successes = rateLimit({ ...POLICY, skipSuccessfulRequests: true });
      const ok = await serve(host, successes, answerAsAsked);
      expect(await statusesOf(ok, asking(200, 200, 302, 404, 500, 200))).to.deep.equal([
        200, 200, 302, 404, 500, 429,
      ]);
      const failures = rateLimit({ ...POLICY, skipFailedRequests: true });
      const failing = await serve(host, failures, answerAsAsked);
      expect(await statusesOf(failing, asking(500, 404, 400, 200, 302, 200, 200))).to.deep.equal([
        500, 404, 400, 200, 302, 429, 429,
      ]);
    });

    it("charges what a request did cost in the end", async () => {
      const finalCost: RateLimitOptions["finalCost"] = ({ headers }) => Number(headers["x-cost"]);
      const limit = rateLimit({ ...POLICY, limit: 10, finalCost });
      const server = await serve(host, limit);
      const requests = [0, 5, 1, 3].map((cost) => ({ headers: { "x-cost": String(cost) } }));
      const replies = await repliesTo(server, [...requests, ...requests]);
      const remaining = replies.map(
        ({ headers }) => /r=(\d+)/.exec(String(headers["ratelimit"]))?.[1],
      );
      expect(remaining.slice(0, 5)).to.deep.equal(["9", "9", "4", "3", "0"]);
    });

    it("lets a delayed request through later, in its turn", async () => {
      const order: (number | undefined)[] = [];
      const note: Middleware = (request: RateLimitedRequest, _response, next) => {
        const decision = request.rateLimit;
        order.push(decision?.kind === "admitted" ? decision.remaining : undefined);
        next();
      };
      const limit = rateLimit({ ...POLICY, limit: 100, windowMs: 1000, burst: 3, delayAfter: 1 });
      const server = await serve(host, limit, note);
      const replies = await Promise.all([server.ask(), server.ask(), server.ask()]);
      expect(replies.map(({ status }) => status)).to.deep.equal([200, 200, 200]);
      expect(order).to.deep.equal([2, 1, 0]);
    });

    it("admits as many requests at once as concurrency allows, and one more when one has ended", async () => {
      const held: (() => void)[] = [];
      const hold: Middleware = (request, _response, next) => {
        if (request.headers["x-hold"] === undefined) next();
        else held.push(next);
      };
      const limit = rateLimit({ ...POLICY, limit: 100, concurrency: 2 });
      const server = await serve(host, limit, hold);
      const holding = [0, 1].map(() => server.ask({ headers: { "x-hold": "1" } }));
      await until(() => held.length === 2);
      const refused = await server.ask();
      expect(refused.status).to.equal(429);
      expect(refused.headers["ratelimit-policy"]).to.equal(
        '"concurrency";q=2;qu="concurrent-requests"',
      );
      expect(refused.headers["retry-after"]).to.equal("1");
      held.shift()!();
      await Promise.race(holding);
      expect((await server.ask()).status).to.equal(200);
      held.shift()!();
      await Promise.all(holding);
    });

    it("lets requests pass without a store that works when it is told to", async () => {
      const store: Store = {
        ledger: () => {
          const broken = (): never => {
            throw new Error("no store");
          };
          return { charge: broken, refund: broken, block: broken, forget: broken };
        },
      };
      const kinds: string[] = [];
      const options: Partial<RateLimitOptions> = { onEvent: ({ kind }) => kinds.push(kind) };
      const closed = await serve(host, rateLimit({ ...POLICY, store, ...options }));
      expect((await closed.ask()).body).to.equal("no store");
      const limit = rateLimit({ ...POLICY, store, ...options, passOnStoreError: true });
      const passing = await serve(host, limit);
      expect(await statusesOf(passing, [{}, {}, {}])).to.deep.equal([200, 200, 200]);
      expect(kinds).to.deep.equal(Array.from({ length: 4 }, () => "store-failed"));
    });
  });
}

describe("rateLimit() with values that are none", () => {
  for (const value of [NaN, undefined, -1, 0.5, "10", Infinity, 2 ** 31, null, {}]) {
    for (const option of ["limit", "windowMs", "cost"] as const) {
      const isInRange = option === "windowMs" && value === 2 ** 31;
      if (isInRange) continue;
      it(`admits nobody while ${option} answers ${inspect(value)}, at once or later`, async () => {
        for (const answer of [value, Promise.resolve(value)]) {
          const options = { ...POLICY, [option]: () => answer } as RateLimitOptions;
          const server = await serve("node:http", rateLimit(options));
          const reply = await server.ask();
          expect(reply.status).to.equal(500);
          expect(reply.body).to.include(`"${option}" must be`);
        }
      });
    }
  }

  it("admits nobody when a promise is not kept", async () => {
    const limit = (): Promise<number> => Promise.reject(new Error("no plan"));
    const server = await serve("node:http", rateLimit({ ...POLICY, limit }));
    expect(await server.ask()).to.deep.include({ status: 500, body: "no plan" });
  });
});

describe("rateLimit() dryRun", () => {
  it("refuses nothing, sets no field, and counts what it would have refused", async () => {
    const events: RateLimitEvent[] = [];
    const limit = rateLimit({ ...POLICY, dryRun: true, onEvent: (event) => events.push(event) });
    const server = await serve("node:http", limit);
    const replies = await repliesTo(server, [{}, {}, {}]);
    expect(replies.map(({ status }) => status)).to.deep.equal([200, 200, 200]);
    for (const { headers } of replies) {
      expect(headers).to.not.have.any.keys("ratelimit", "ratelimit-policy", "retry-after");
    }
    expect(limit.metrics()[0]).to.deep.include({ admitted: 2, limited: 0, dryRunLimited: 1 });
    expect(events).to.have.lengthOf(1);
    expect(events[0]).to.deep.include({ kind: "dry-run-limited", policyNames: ["default"] });
  });

  it("tries a tighter policy beside the one in force", async () => {
    const limit = rateLimit({
      clock: () => 0,
      policies: [
        { name: "now", limit: 3, windowMs: 60_000 },
        { name: "planned", limit: 1, windowMs: 60_000, dryRun: true },
      ],
    });
    const server = await serve("node:http", limit);
    expect(await statusesOf(server, [{}, {}, {}, {}])).to.deep.equal([200, 200, 200, 429]);
    const [now, planned] = limit.metrics();
    expect(now).to.deep.include({ policyName: "now", admitted: 3, limited: 1, dryRunLimited: 0 });
    expect(planned).to.deep.include({ policyName: "planned", admitted: 1, dryRunLimited: 2 });
    expect(prometheusText(limit.metrics())).to.include(
      'rate_limit_decisions_total{policy="planned",decision="dry_run_limited"} 2',
    );
  });
});

describe("rateLimit() skip of a policy", () => {
  it("leaves out that policy alone", async () => {
    const limit = rateLimit({
      clock: () => 0,
      policies: [
        { name: "all", limit: 3, windowMs: 60_000 },
        {
          name: "users",
          limit: 1,
          windowMs: 60_000,
          keyGenerator: byApiKey,
          skip: ({ headers }) => headers["x-api-key"] === undefined,
        },
      ],
    });
    const server = await serve("node:http", limit);
    const requests = [{}, {}, ...keyed("a")];
    expect(await statusesOf(server, [...requests, {}])).to.deep.equal([200, 200, 200, 429]);
  });
});

describe("rateLimit() policies", () => {
  for (const [options, message] of [
    [{ policies: [] }, '"policies" must be an array of policies, got []'],
    [{ policies: {} }, '"policies" must be an array'],
    [
      {
        policies: [
          { limit: 1, windowMs: 1 },
          { limit: 2, windowMs: 1 },
        ],
      },
      '"policies" must have different names, got "default" twice',
    ],
    [{ policies: [{ limit: 1, windowMs: 1 }], burst: 5 }, '"burst" belongs into "policies"'],
    [{ policies: [{ limit: 1, window: 1 }] }, 'option "window", did you mean "windowMs"?'],
    [{ policies: [{ limit: 1, windowMs: 1, skip: true }] }, '"skip" must be a function'],
    [{ policies: [{ limit: 1, windowMs: 1, dryRun: 1 }] }, '"dryRun" must be a boolean, got 1'],
  ] as const) {
    it(`are refused as ${JSON.stringify(options)}`, () => {
      expect(() => rateLimit(options as unknown as RateLimitPoliciesOptions)).to.throw(
        TypeError,
        message,
      );
    });
  }
});
