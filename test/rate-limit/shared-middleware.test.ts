import {
  type RateLimitEvent,
  type RateLimitOptions,
  RateLimitError,
  rateLimit,
} from "@hauberk/rate-limit";
import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { HOSTS, type MiddlewareServer, serveMiddleware } from "../support/middleware-server.ts";
import type { Host, Middleware, Reply } from "../support/middleware-server.ts";
import { rejection } from "../support/rejection.ts";
import { ScriptedStore, unavailable } from "../support/scripted-store.ts";

const POLICY = { limit: 3, windowMs: 3_600_000 };

function refusedByStore(): Promise<never> {
  return Promise.reject(
    new RateLimitError("ERR_RATE_LIMIT_STORE_REFUSED", "Cannot use Redis: test"),
  );
}

describe("rateLimit() over a shared store", () => {
  const servers = new Set<MiddlewareServer>();

  async function serve(host: Host, ...chain: readonly Middleware[]): Promise<MiddlewareServer> {
    const server = await serveMiddleware(host, ...chain);
    servers.add(server);
    return server;
  }

  async function repliesOf(server: MiddlewareServer, count: number): Promise<Reply[]> {
    return Promise.all(Array.from({ length: count }, () => server.ask()));
  }

  async function statusesOf(
    options: Partial<RateLimitOptions>,
    count: number,
    trouble?: () => unknown,
  ): Promise<number[]> {
    const store = new ScriptedStore();
    store.trouble = trouble;
    const server = await serve("node:http", rateLimit({ ...POLICY, store, ...options }));
    const replies = await repliesOf(server, count);
    return replies.map(({ status }) => status).toSorted((a, b) => a - b);
  }

  afterEach(() => {
    for (const server of servers) server.close();
    servers.clear();
  });

  for (const host of HOSTS) {
    it(`holds one limit in two servers (${host})`, async () => {
      const store = new ScriptedStore();
      const one = await serve(host, rateLimit({ ...POLICY, store }));
      const other = await serve(host, rateLimit({ ...POLICY, store }));
      const replies = [...(await repliesOf(one, 3)), ...(await repliesOf(other, 2))];
      expect(replies.map(({ status }) => status)).to.deep.equal([200, 200, 200, 429, 429]);
      expect(replies[4]!.headers).to.include({
        "ratelimit-policy": '"default";q=3;w=3600',
        ratelimit: '"default";r=0;t=1200',
        "retry-after": "1200",
      });
    });
  }

  it("admits exactly 5 of 200 parallel requests", async () => {
    const statuses = await statusesOf({ limit: 5 }, 200);
    expect(statuses.filter((status) => status === 200)).to.have.lengthOf(5);
  });

  it("holds the limit by itself while the store is gone, and reports that", async () => {
    const events: RateLimitEvent["kind"][] = [];
    const onEvent = ({ kind }: RateLimitEvent): void => void events.push(kind);
    const statuses = await statusesOf({ onEvent }, 5, unavailable);
    expect(statuses).to.deep.equal([200, 200, 200, 429, 429]);
    expect(events.filter((kind) => kind === "store-failed")).to.have.lengthOf(3);
  });

  it("holds its share of the limit with fallback.instances", async () => {
    const statuses = await statusesOf({ fallback: { instances: 3 } }, 3, unavailable);
    expect(statuses).to.deep.equal([200, 429, 429]);
  });

  it("refuses every request with 'fail-closed', and admits every one with 'fail-open'", async () => {
    expect(await statusesOf({ onUnavailable: "fail-closed" }, 3, unavailable)).to.deep.equal([
      429, 429, 429,
    ]);
    expect(await statusesOf({ onUnavailable: "fail-open" }, 5, unavailable)).to.deep.equal([
      200, 200, 200, 200, 200,
    ]);
    expect(await statusesOf({ passOnStoreError: true }, 5, unavailable)).to.deep.equal([
      200, 200, 200, 200, 200,
    ]);
  });

  it("admits nobody when the store refuses the credentials, whatever the options say", async () => {
    for (const options of [
      {},
      { passOnStoreError: true },
      { onUnavailable: "fail-open" },
    ] as const) {
      expect(await statusesOf(options, 2, refusedByStore)).to.deep.equal([500, 500]);
    }
  });

  it("gives requests back that are not to count", async () => {
    const store = new ScriptedStore();
    const limit = rateLimit({ ...POLICY, store, skipSuccessfulRequests: true });
    const server = await serve("node:http", limit);
    for (let request = 0; request < 6; request++) expect((await server.ask()).status).to.equal(200);
  });

  it("counts a dry run without refusing", async () => {
    const events: RateLimitEvent["kind"][] = [];
    const onEvent = ({ kind }: RateLimitEvent): void => void events.push(kind);
    const statuses = await statusesOf({ dryRun: true, onEvent }, 5);
    expect(statuses).to.deep.equal([200, 200, 200, 200, 200]);
    expect(events).to.deep.equal(["dry-run-limited", "dry-run-limited"]);
  });

  it("frees a place of the concurrency limit when the store fails", async () => {
    const store = new ScriptedStore();
    const limit = rateLimit({ ...POLICY, store, concurrency: 1 });
    const server = await serve("node:http", limit);
    store.trouble = refusedByStore;
    expect((await server.ask()).status).to.equal(500);
    store.trouble = undefined;
    expect((await server.ask()).status).to.equal(200);
    expect((await server.ask()).status).to.equal(200);
  });

  it("resets a key in the store, and says when the store does not answer", async () => {
    const store = new ScriptedStore();
    const limit = rateLimit({ ...POLICY, store });
    const server = await serve("node:http", limit);
    await repliesOf(server, 5);
    await limit.resetKey("127.0.0.1");
    expect((await server.ask()).status).to.equal(200);
    expect(limit.metrics()).to.deep.include.members([
      {
        policyName: "default",
        admitted: 4,
        limited: 2,
        unavailable: 0,
        fallback: 0,
        dryRunLimited: 0,
      },
    ]);
    store.forget = () => refusedByStore();
    expect(await rejection(Promise.resolve(limit.resetKey("127.0.0.1")))).to.be.instanceOf(
      RateLimitError,
    );
  });

  it("refuses what a shared store cannot do", () => {
    const store = new ScriptedStore();
    expect(() => rateLimit({ ...POLICY, store, algorithm: "sliding-log" })).to.throw(
      TypeError,
      /"gcra" in a shared store/,
    );
    expect(() => rateLimit({ ...POLICY, store }).block("client", 1000)).to.throw(
      TypeError,
      /BanList/,
    );
    expect(() => rateLimit({ ...POLICY, onUnavailable: "fail-open" })).to.throw(
      TypeError,
      /"onUnavailable" goes with a store that processes share/,
    );
    expect(() => rateLimit({ ...POLICY, store, onUnavailable: { defalt: "fail-open" } })).to.throw(
      TypeError,
      /"default"\?/,
    );
  });
});
