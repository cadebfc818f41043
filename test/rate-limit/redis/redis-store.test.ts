import { type Charge, RateLimitError, TICKS_PER_MS } from "@hauberk/rate-limit";
import { RedisStore, type RedisStoreOptions } from "@hauberk/rate-limit/redis";
import { sharedStoreConformance, VirtualClock } from "@hauberk/rate-limit/testing";
import { expect } from "chai";
import { Redis } from "ioredis";
import { after, before, describe, it } from "mocha";
import { requireProgram } from "../../support/external.ts";
import { admittedByProcesses } from "../../support/rate-limit-processes.ts";
import { type RedisServer, startRedis } from "../../support/redis-server.ts";
import { rejection } from "../../support/rejection.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

const SECOND = 1000 * TICKS_PER_MS;

function chargeOf(key: string, cost = 1, capacity = 5, policyName = "test"): Charge {
  return { policyName, key, cost: cost * SECOND, capacity: capacity * SECOND };
}

describe("RedisStore", () => {
  const folder = tempDirectory();
  const stores = new Set<RedisStore>();
  let server: RedisServer;
  let nextPrefix = 0;

  /** A store of its own entries, with a deadline that a busy machine keeps. */
  function storeOf(options: RedisStoreOptions = {}): RedisStore {
    const target = options.client === undefined ? { url: server.url } : {};
    const store = new RedisStore({
      ...target,
      prefix: `t${nextPrefix++}`,
      deadlineMs: 3000,
      ...options,
    });
    stores.add(store);
    return store;
  }

  async function readyStore(options: RedisStoreOptions = {}): Promise<RedisStore> {
    const store = storeOf(options);
    await store.ready();
    return store;
  }

  async function admittedOf(store: RedisStore, count: number, charge: Charge): Promise<number> {
    const answers = await Promise.all(Array.from({ length: count }, () => store.charge([charge])));
    return answers.filter(([debt]) => debt! <= charge.capacity).length;
  }

  before(async function () {
    requireProgram(this, "redis-server");
    requireProgram(this, "redis-cli");
    server = await startRedis(folder);
  });

  after(async () => {
    await Promise.all(Array.from(stores, (store) => store.close()));
    await server.kill();
  });

  describe("conformance on the clock of Redis", () => {
    const cases = sharedStoreConformance({ createStore: () => readyStore() });
    for (const { name, run } of cases) it(name, run);
  });

  describe("conformance on a virtual clock", () => {
    const clock = new VirtualClock();
    const cases = sharedStoreConformance({
      createStore: () => readyStore({ clock: clock.now }),
      clock,
    });
    for (const { name, run } of cases) it(name, run);
  });

  describe("conformance with leases", () => {
    const clock = new VirtualClock();
    const cases = sharedStoreConformance({
      createStore: () => readyStore({ clock: clock.now, leasePermits: 10 }),
      clock,
    });
    const exact = cases.filter(({ name }) => !/debt|gives back|forgets|keeps|drains/.test(name));
    for (const { name, run } of exact) it(name, run);
  });

  it("admits exactly 5 of 200 parallel calls of two clients", async () => {
    const [one, other] = await Promise.all([
      readyStore({ prefix: "shared" }),
      readyStore({ prefix: "shared" }),
    ]);
    const charge = chargeOf("client", 100, 500);
    const [first, second] = await Promise.all([
      admittedOf(one, 100, charge),
      admittedOf(other, 100, charge),
    ]);
    expect(first + second).to.equal(5);
  });

  it("admits exactly 5 of 200 parallel calls from two processes", async () => {
    const admitted = await admittedByProcesses(2, {
      url: server.url,
      prefix: "processes",
      key: "client",
      capacity: 5,
      count: 100,
    });
    expect(admitted[0]! + admitted[1]!).to.equal(5);
  });

  it("admits exactly 5 of 200 parallel calls after SCRIPT FLUSH", async () => {
    const store = await readyStore();
    await server.command("script", "flush");
    expect(await admittedOf(store, 200, chargeOf("client", 100, 500))).to.equal(5);
  });

  it("charges once when the script is gone, however many batches are under way", async () => {
    const store = await readyStore();
    await store.charge([chargeOf("client", 1, 1000)]);
    await server.command("script", "flush");
    const calls = Array.from({ length: 300 }, (_, index) =>
      store.charge([chargeOf(`client-${index % 3}`, 1, 1000)]),
    );
    await Promise.all(calls);
    const [debt] = await store.charge([chargeOf("client-0", 0, 1000)]);
    expect(debt! / SECOND).to.be.within(95, 100);
  });

  it("sends all groups of one turn in one call", async () => {
    const store = await readyStore({ blockCacheKeys: 0 });
    await store.charge([chargeOf("client")]);
    const callsBefore = await evalshaCalls(server);
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => store.charge([chargeOf(`${index}`)])),
    );
    expect((await evalshaCalls(server)) - callsBefore).to.equal(1);
    await Promise.all(
      Array.from({ length: 129 }, (_, index) => store.charge([chargeOf(`${index}`)])),
    );
    expect((await evalshaCalls(server)) - callsBefore).to.equal(3);
  });

  it("keeps groups apart that travel together, whatever their costs", async () => {
    const store = await readyStore();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        store.charge([chargeOf(`c${index}`, index + 1, 50)]),
      ),
    );
    expect(answers.map(([debt]) => debt! / SECOND)).to.deep.equal(
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
  });

  it("leaves no key without an end, and none that owes nothing", async () => {
    const store = await readyStore({ prefix: "ends" });
    await store.charge([chargeOf("client", 30, 100), chargeOf("client", 0.4, 1, "brief")]);
    await store.charge([chargeOf("peeked", 0)]);
    await store.charge([chargeOf("returned", 3)]);
    await store.refund([chargeOf("returned", 2.5)]);
    await store.charge([chargeOf("forgotten", 3)]);
    await store.forget("test", "forgotten");
    const names = (await server.command("keys", "ends:*"))
      .split("\n")
      .filter((name) => name !== "");
    expect(names.toSorted()).to.deep.equal([
      "ends:{client}:brief",
      "ends:{client}:test",
      "ends:{returned}:test",
    ]);
    const lifetimes = await Promise.all(names.map((name) => server.command("pttl", name)));
    for (const lifetime of lifetimes) expect(Number(lifetime)).to.be.within(1, 30_000);
  });

  it("holds a window of half a second for half a second (no key without an end)", async () => {
    const store = await readyStore();
    const interval = 100 * TICKS_PER_MS;
    const charge = { policyName: "brief", key: "client", cost: interval, capacity: 5 * interval };
    expect(await admittedOf(store, 20, charge)).to.equal(5);
    const [debt] = await store.charge([{ ...charge, cost: 0 }]);
    expect(debt! / TICKS_PER_MS).to.be.within(1, 500);
  });

  it("blocks a key for one capacity at most when the clock of Redis steps back an hour", async () => {
    const clock = new VirtualClock(7_200_000);
    const store = await readyStore({ clock: clock.now, blockCacheKeys: 0 });
    await store.charge([chargeOf("client", 5)]);
    clock.advance(-3_600_000);
    expect(await store.charge([chargeOf("client", 1)])).to.deep.equal([6 * SECOND]);
    clock.advance(5000);
    expect(await store.charge([chargeOf("client", 5)])).to.deep.equal([5 * SECOND]);
  });

  it("counts on over the moment at which its time wraps around", async () => {
    const wrapMs = 67_108_864_000;
    const clock = new VirtualClock(wrapMs - 2000);
    const store = await readyStore({ clock: clock.now });
    await store.charge([chargeOf("client", 5)]);
    clock.advance(3000);
    expect(await store.charge([chargeOf("client", 0)])).to.deep.equal([2 * SECOND]);
  });

  it("takes over the settings of a client, and not its connection", async () => {
    const client = new Redis(server.port, {
      db: 3,
      enableOfflineQueue: true,
      keyPrefix: "theirs:",
    });
    const store = await readyStore({ client, prefix: "ours" });
    await store.charge([chargeOf("client")]);
    await store.close();
    expect(await client.exists("x")).to.equal(0);
    expect(await server.command("-n", "3", "exists", "ours:{client}:test")).to.equal("1");
    client.disconnect();
  });

  it("rejects calls after close, and does not throw", async () => {
    const store = await readyStore();
    await store.close();
    const error = await rejection(store.charge([chargeOf("client")]));
    expect(error.code).to.equal("ERR_RATE_LIMIT_STORE_UNAVAILABLE");
    expect(error).to.be.instanceOf(RateLimitError);
  });

  it("refuses a group of more than 32 entries", async () => {
    const store = await readyStore();
    const group = Array.from({ length: 33 }, (_, index) => chargeOf(`client-${index}`));
    expect(await rejection(store.charge(group))).to.be.instanceOf(RangeError);
    expect(await store.charge(group.slice(1))).to.have.lengthOf(32);
  });

  describe("block cache", () => {
    it("refuses a key that is known to be limited without asking again", async () => {
      const clock = new VirtualClock(1000);
      const store = await readyStore({ clock: clock.now });
      await store.charge([chargeOf("client", 5)]);
      await store.charge([chargeOf("client")]);
      const callsBefore = await evalshaCalls(server);
      for (let attempt = 0; attempt < 50; attempt++) {
        expect(await store.charge([chargeOf("client")])).to.deep.equal([6 * SECOND]);
      }
      expect(await evalshaCalls(server)).to.equal(callsBefore);
      clock.advance(500);
      expect(await store.charge([chargeOf("client")])).to.deep.equal([5.5 * SECOND]);
      expect(await evalshaCalls(server)).to.equal(callsBefore);
    });

    it("asks again once the key may be admitted", async () => {
      const clock = new VirtualClock(1000);
      const store = await readyStore({ clock: clock.now });
      await store.charge([chargeOf("client", 5)]);
      await store.charge([chargeOf("client", 0.5)]);
      clock.advance(500);
      expect(await store.charge([chargeOf("client", 0.5)])).to.deep.equal([5 * SECOND]);
    });

    it("lets a reset by another process through within blockCacheMs", async () => {
      const clock = new VirtualClock(1000);
      const options = { prefix: "reset", clock: clock.now, blockCacheMs: 200 };
      const [one, other] = await Promise.all([readyStore(options), readyStore(options)]);
      await one.charge([chargeOf("client", 5)]);
      await one.charge([chargeOf("client")]);
      await other.forget("test", "client");
      expect(await one.charge([chargeOf("client")])).to.deep.equal([6 * SECOND]);
      clock.advance(201);
      expect(await one.charge([chargeOf("client")])).to.deep.equal([SECOND]);
    });

    it("answers a group only when every entry of it is known", async () => {
      const store = await readyStore({ clock: new VirtualClock(1000).now });
      await store.charge([chargeOf("client", 5)]);
      await store.charge([chargeOf("client")]);
      const group = [chargeOf("client"), chargeOf("client", 1, 10, "wide")];
      const callsBefore = await evalshaCalls(server);
      for (let attempt = 0; attempt < 3; attempt++) {
        expect(await store.charge(group)).to.deep.equal([6 * SECOND, SECOND]);
      }
      expect((await evalshaCalls(server)) - callsBefore).to.equal(1);
    });
  });

  describe("leases", () => {
    it("pay for the next requests of a key with one call", async () => {
      const clock = new VirtualClock(1000);
      const store = await readyStore({ clock: clock.now, leasePermits: 10 });
      const callsBefore = await evalshaCalls(server);
      for (let request = 1; request <= 10; request++) {
        expect(await store.charge([chargeOf("client", 1, 100)])).to.deep.equal([request * SECOND]);
      }
      expect((await evalshaCalls(server)) - callsBefore).to.equal(1);
      expect(await store.charge([chargeOf("client", 1, 100)])).to.deep.equal([11 * SECOND]);
      expect((await evalshaCalls(server)) - callsBefore).to.equal(2);
    });

    it("never admit more than the limit in all, with any number of processes", async () => {
      const options = { prefix: "leased", clock: new VirtualClock(1000).now, leasePermits: 7 };
      const processes = await Promise.all(Array.from({ length: 4 }, () => readyStore(options)));
      let admitted = 0;
      for (let round = 0; round < 60; round++) {
        for (const store of processes)
          admitted += await admittedOf(store, 1, chargeOf("client", 1, 100));
      }
      expect(admitted).to.be.within(100 - 4 * 7, 100);
    });

    it("cost a process that crashes with unused permits nothing but these", async () => {
      const clock = new VirtualClock(1000);
      const options = { prefix: "crashed", clock: clock.now, leasePermits: 10 };
      const crashed = await readyStore(options);
      await crashed.charge([chargeOf("client", 1, 100)]);
      const other = await readyStore({ ...options, leasePermits: 1 });
      expect(await admittedOf(other, 200, chargeOf("client", 1, 100))).to.equal(90);
    });

    it("expire when their permits would have been earned back", async () => {
      const clock = new VirtualClock(1000);
      const store = await readyStore({ clock: clock.now, leasePermits: 10 });
      await store.charge([chargeOf("client", 1, 100)]);
      clock.advance(8500);
      const callsBefore = await evalshaCalls(server);
      await store.charge([chargeOf("client", 1, 100)]);
      expect((await evalshaCalls(server)) - callsBefore).to.equal(1);
    });

    it("are given back on close", async () => {
      const options = { prefix: "returned", clock: new VirtualClock(1000).now };
      const leasing = await readyStore({ ...options, leasePermits: 10 });
      await leasing.charge([chargeOf("client", 1, 100)]);
      await leasing.close();
      const store = await readyStore(options);
      expect(await store.charge([chargeOf("client", 0, 100)])).to.deep.equal([SECOND]);
    });
  });
});

async function evalshaCalls(server: RedisServer): Promise<number> {
  const statistics = await server.command("info", "commandstats");
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(statistics)?.[1] ?? 0);
}
