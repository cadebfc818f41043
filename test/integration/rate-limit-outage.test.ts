import {
  type SharedDecision,
  type SharedLimiter,
  type SharedLimiterOptions,
  createSharedLimiter,
} from "@hauberk/rate-limit";
import { RedisStore, type RedisStoreOptions } from "@hauberk/rate-limit/redis";
import { expect } from "chai";
import { after, afterEach, before, describe, it } from "mocha";
import { requireProgram, requireThorough } from "../support/external.ts";
import { RedisServer, freePorts, startRedis } from "../support/redis-server.ts";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const DEADLINE_MS = 100;
/** What a busy machine may add to a deadline. */
const GRACE_MS = 150;
const RECOVERY_MS = 2000;

const flowing = new Set<Traffic>();

/** Asks a limiter all the time, and notes what it says and how long it took. */
class Traffic {
  readonly decisions: SharedDecision[] = [];
  worstMs = 0;
  #isStopped = false;
  readonly #running: Promise<void>;

  constructor(limiter: SharedLimiter, keyOf: (index: number) => string) {
    this.#running = this.#run(limiter, keyOf);
    flowing.add(this);
  }

  async stop(): Promise<void> {
    flowing.delete(this);
    this.#isStopped = true;
    await this.#running;
  }

  async #run(limiter: SharedLimiter, keyOf: (index: number) => string): Promise<void> {
    for (let index = 0; !this.#isStopped; index++) {
      const startedAt = performance.now();
      this.decisions.push(await limiter.consume(keyOf(index)));
      this.worstMs = Math.max(this.worstMs, performance.now() - startedAt);
      await pause();
    }
  }
}

/** Resolves with the milliseconds from now until the store answers. */
async function untilAnswered(store: RedisStore): Promise<number> {
  const startedAt = performance.now();
  const reading = [{ policyName: "reading", key: "", cost: 0, capacity: 1 }];
  while (!(await store.charge(reading).then(Boolean, () => false))) await pause();
  return performance.now() - startedAt;
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 2));
}

async function wait(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

describe("a Redis store in trouble", function () {
  this.timeout(30_000);
  const folder = tempDirectory();
  const stores = new Set<RedisStore>();
  const servers = new Set<RedisServer>();
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);

  function storeOf(options: RedisStoreOptions): RedisStore {
    const store = new RedisStore({ deadlineMs: DEADLINE_MS, ...options });
    stores.add(store);
    return store;
  }

  async function started(settings: Record<string, string> = {}): Promise<RedisServer> {
    const server = await startRedis(folder, settings);
    servers.add(server);
    return server;
  }

  function limiterOf(
    store: RedisStore,
    options: Partial<SharedLimiterOptions> = {},
    limit = 1000,
  ): SharedLimiter {
    return createSharedLimiter({ limit, windowMs: 3_600_000 }, { store, ...options });
  }

  before(function () {
    requireThorough(this, "15 seconds");
    requireProgram(this, "redis-server");
    requireProgram(this, "redis-cli");
    process.on("unhandledRejection", note);
  });

  afterEach(async () => {
    await Promise.all(Array.from(flowing, (traffic) => traffic.stop()));
    await Promise.all(Array.from(stores, (store) => store.close()));
    for (const server of servers) server.thaw();
    await Promise.all(Array.from(servers, (server) => server.kill()));
    stores.clear();
    servers.clear();
    expect(unhandled).to.deep.equal([]);
  });

  after(() => {
    process.off("unhandledRejection", note);
  });

  it("decides within the deadline while Redis is killed, and is back within 2 s of it", async () => {
    const server = await started();
    const store = storeOf({ url: server.url });
    await store.ready();
    const limiter = limiterOf(store);
    const traffic = new Traffic(limiter, (index) => `client-${index % 10}`);
    await wait(200);
    await server.kill();
    await wait(700);
    expect(store.breakerState).to.equal("open");
    await server.start();
    expect(await untilAnswered(store)).to.be.below(RECOVERY_MS);
    const answeredBefore = limiter.metrics()[0]!.fallback!;
    await wait(200);
    await traffic.stop();
    expect(limiter.metrics()[0]!.fallback).to.equal(answeredBefore);
    expect(answeredBefore).to.be.above(0);
    expect(traffic.worstMs).to.be.below(DEADLINE_MS + GRACE_MS);
    expect(traffic.decisions.every(({ kind }) => kind === "admitted")).to.equal(true);
  });

  it("decides within the deadline while Redis is frozen, and is back within 2 s of it", async () => {
    const server = await started();
    const events: string[] = [];
    const store = storeOf({ url: server.url, onEvent: ({ kind }) => void events.push(kind) });
    await store.ready();
    const traffic = new Traffic(limiterOf(store), (index) => `client-${index % 10}`);
    await wait(200);
    server.freeze();
    await wait(1500);
    expect(store.breakerState).to.equal("open");
    server.thaw();
    expect(await untilAnswered(store)).to.be.below(RECOVERY_MS);
    await traffic.stop();
    expect(traffic.worstMs).to.be.below(DEADLINE_MS + GRACE_MS);
    expect(events).to.include.members(["breaker-opened", "breaker-closed"]);
  });

  it("holds the limit of its share in each process while Redis is frozen", async () => {
    const server = await started();
    const limiters = [1, 2, 3, 4].map(() => {
      return limiterOf(storeOf({ url: server.url }), { fallback: { instances: 4 } }, 20);
    });
    await Promise.all(Array.from(stores, (store) => store.ready()));
    server.freeze();
    const admitted = await Promise.all(limiters.map((limiter) => admittedOf(limiter, 40)));
    expect(admitted).to.deep.equal([5, 5, 5, 5]);
  });

  it("gives no fresh budget in an outage, nor after one in which Redis lost everything", async () => {
    const server = await started();
    const store = storeOf({ url: server.url });
    await store.ready();
    const limiter = limiterOf(store, {}, 20);
    expect(await admittedOf(limiter, 12)).to.equal(12);
    await server.kill();
    expect(await admittedOf(limiter, 40)).to.equal(8);
    await server.start();
    await untilAnswered(store);
    const decision = await limiter.consume("client");
    expect(decision.kind).to.equal("limited");
    expect(limiter.metrics()[0]!.unavailable).to.equal(0);
    expect(await limiter.consume("someone else")).to.deep.include({
      kind: "admitted",
      remaining: 19,
    });
  });

  it("does not double the budget when one process stands in while another has Redis", async () => {
    const server = await started();
    const [port] = (await freePorts(1)) as [number];
    const connected = storeOf({ url: server.url });
    await connected.ready();
    const cutOff = storeOf({ url: `redis://127.0.0.1:${port}` });
    const options = { fallback: { instances: 2 } };
    const admitted = await Promise.all([
      admittedOf(limiterOf(connected, options, 20), 40),
      admittedOf(limiterOf(cutOff, options, 20), 40),
    ]);
    expect(admitted).to.deep.equal([20, 10]);
  });

  it("decides from the start without Redis, and uses it within 2 s once it is there", async () => {
    const [port] = (await freePorts(1)) as [number];
    const server = new RedisServer(port, folder);
    servers.add(server);
    const store = storeOf({ url: server.url });
    const limiter = limiterOf(store, {}, 5);
    expect(await admittedOf(limiter, 20)).to.equal(5);
    await wait(500);
    await server.start();
    expect(await untilAnswered(store)).to.be.below(RECOVERY_MS);
    await limiter.consume("someone-else");
    expect(await server.command("keys", "*")).to.equal("rl:{someone-else}:default");
  });

  it("waits for a host that has no address yet, within the deadline", async () => {
    const store = storeOf({ url: "redis://no-such-host.invalid:6379" });
    const startedAt = performance.now();
    expect((await limiterOf(store).consume("client")).kind).to.equal("admitted");
    expect(performance.now() - startedAt).to.be.below(DEADLINE_MS + GRACE_MS);
  });

  it("fails closed, or open, where a policy says so", async () => {
    const [port] = (await freePorts(1)) as [number];
    const store = storeOf({ url: `redis://127.0.0.1:${port}` });
    const closed = await limiterOf(store, { onUnavailable: "fail-closed" }).consume("client");
    expect(closed).to.deep.include({ kind: "unavailable", limit: 1000, isAdmitted: false });
    const open = await limiterOf(store, { onUnavailable: "fail-open" }).consume("client");
    expect(open).to.deep.include({ kind: "unavailable", limit: 1000, isAdmitted: true });
  });

  for (const [what, url] of [
    ["a wrong password", (port: number) => `redis://:wrong@127.0.0.1:${port}`],
    ["no password", (port: number) => `redis://127.0.0.1:${port}`],
    ["a user without the permission", (port: number) => `redis://weak:weak@127.0.0.1:${port}`],
  ] as const) {
    it(`fails loudly on ${what}, even where a policy fails open`, async () => {
      const server = await started({ requirepass: "secret" });
      await server.command(
        "-a",
        "secret",
        "--no-auth-warning",
        "acl",
        "setuser",
        "weak",
        "on",
        ">weak",
        "+ping",
        "+info",
      );
      const store = storeOf({ url: url(server.port) });
      const refused = await rejection(store.ready());
      expect(refused.code).to.equal("ERR_RATE_LIMIT_STORE_REFUSED");
      expect(refused.message).to.not.contain("wrong@");
      const error = await rejection(
        limiterOf(store, { onUnavailable: "fail-open" }).consume("client"),
      );
      expect(error.code).to.equal("ERR_RATE_LIMIT_STORE_REFUSED");
    });
  }

  it("follows a promotion that the sentinels announce, within 2 s of it", async () => {
    const master = await started();
    const replica = await started({ replicaof: `127.0.0.1 ${master.port}` });
    await replica.waitFor(/master_link_status:up/, "info", "replication");
    const sentinel = await startedSentinel(master);
    const store = storeOf({ url: `redis+sentinel://127.0.0.1:${sentinel.port}/watched` });
    await store.ready();
    const traffic = new Traffic(limiterOf(store), (index) => `client-${index % 10}`);
    await wait(100);
    await master.kill();
    await sentinel.waitFor(
      new RegExp(`${replica.port}`),
      "sentinel",
      "get-master-addr-by-name",
      "watched",
    );
    await replica.waitFor(/role:master/, "info", "replication");
    expect(await untilAnswered(store)).to.be.below(RECOVERY_MS);
    await traffic.stop();
    expect(traffic.worstMs).to.be.below(DEADLINE_MS + GRACE_MS);
    expect(await replica.command("dbsize")).to.not.equal("0");
  });

  async function startedSentinel(master: RedisServer): Promise<RedisServer> {
    const [port] = (await freePorts(1)) as [number];
    const sentinel = new RedisServer(port, folder, {}, [
      `sentinel monitor watched 127.0.0.1 ${master.port} 1`,
      "sentinel down-after-milliseconds watched 300",
      "sentinel failover-timeout watched 2000",
    ]);
    servers.add(sentinel);
    await sentinel.start();
    await sentinel.waitFor(/slaves=1/, "info", "sentinel");
    return sentinel;
  }

  it("stands in while its server is a replica (READONLY), and is back once it is promoted", async () => {
    const master = await started();
    const server = await started();
    const store = storeOf({ url: server.url, breakerRetryMs: 200 });
    await store.ready();
    await server.command("replicaof", "127.0.0.1", String(master.port));
    await server.waitFor(/master_link_status:up/, "info", "replication");
    const limiter = limiterOf(store);
    for (let index = 0; index < 5; index++) await limiter.consume("client");
    expect(limiter.metrics()[0]!.fallback).to.equal(5);
    await server.command("replicaof", "no", "one");
    expect(await untilAnswered(store)).to.be.below(RECOVERY_MS);
    await limiter.consume("someone-else");
    expect(await server.command("keys", "*")).to.equal("rl:{someone-else}:default");
  });

  it("stands in when Redis is out of memory and may evict nothing (OOM)", async () => {
    const server = await started({ "maxmemory-policy": "noeviction" });
    const store = storeOf({ url: server.url });
    await store.ready();
    const limiter = limiterOf(store);
    await server.command("config", "set", "maxmemory", "1");
    expect((await limiter.consume("client")).kind).to.equal("admitted");
    expect(limiter.metrics()[0]!.fallback).to.equal(1);
    await server.command("config", "set", "maxmemory", "0");
    expect((await limiter.consume("client")).kind).to.equal("admitted");
    expect(limiter.metrics()[0]!.fallback).to.equal(1);
    expect(await server.command("dbsize")).to.equal("1");
  });

  it("stands in while another script keeps Redis busy (BUSY), and is back after it", async () => {
    const server = await started({ "busy-reply-threshold": "10" });
    const store = storeOf({ url: server.url, breakerRetryMs: 100 });
    await store.ready();
    const limiter = limiterOf(store);
    const endless = server.command("eval", "while true do end", "0").catch(() => undefined);
    await wait(100);
    const startedAt = performance.now();
    expect((await limiter.consume("client")).kind).to.equal("admitted");
    expect(performance.now() - startedAt).to.be.below(DEADLINE_MS + GRACE_MS);
    expect(limiter.metrics()[0]!.fallback).to.equal(1);
    await server.command("script", "kill");
    await endless;
    expect(await untilAnswered(store)).to.be.below(RECOVERY_MS);
    await limiter.consume("someone-else");
    expect(await server.command("exists", "rl:{someone-else}:default")).to.equal("1");
  });

  it("stands in while a replica has lost its master (MASTERDOWN)", async () => {
    const [port] = (await freePorts(1)) as [number];
    const server = await started();
    const store = storeOf({ url: server.url });
    await store.ready();
    await server.command("config", "set", "replica-serve-stale-data", "no");
    await server.command("replicaof", "127.0.0.1", String(port));
    const limiter = limiterOf(store);
    expect((await limiter.consume("client")).kind).to.equal("admitted");
    expect(limiter.metrics()[0]!.fallback).to.equal(1);
  });

  it("stands in while Redis loads its data (LOADING), and is back after it", async () => {
    const server = await started();
    await server.command("debug", "populate", "20000", "key", "100");
    await server.command("save");
    await server.command("config", "set", "key-load-delay", "100");
    const store = storeOf({ url: server.url });
    await store.ready();
    const limiter = limiterOf(store);
    const loading = server.command("debug", "reload", "nosave").catch(() => undefined);
    const traffic = new Traffic(limiter, (index) => `client-${index % 10}`);
    await loading;
    expect(await untilAnswered(store)).to.be.below(RECOVERY_MS);
    await traffic.stop();
    expect(traffic.worstMs).to.be.below(DEADLINE_MS + GRACE_MS);
    expect(limiter.metrics()[0]!.fallback).to.be.above(0);
  });

  it("never charges twice when an answer comes too late", async () => {
    const server = await started();
    const store = storeOf({ url: server.url, breakerRetryMs: 50 });
    await store.ready();
    const limiter = limiterOf(store);
    server.freeze();
    await limiter.consume("client");
    server.thaw();
    await untilAnswered(store);
    const charge = { policyName: "default", key: "client", cost: 0, capacity: 1e15 };
    const [debt] = await store.charge([charge]);
    const interval = 3600 * 90_090;
    expect(debt).to.be.at.most(interval);
  });
});

async function admittedOf(limiter: SharedLimiter, count: number): Promise<number> {
  const decisions = await Promise.all(
    Array.from({ length: count }, () => limiter.consume("client")),
  );
  return decisions.filter(({ kind }) => kind === "admitted").length;
}
