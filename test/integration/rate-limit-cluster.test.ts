import { type Charge, TICKS_PER_MS, createSharedLimiter } from "@hauberk/rate-limit";
import { RedisStore } from "@hauberk/rate-limit/redis";
import { sharedStoreConformance, VirtualClock } from "@hauberk/rate-limit/testing";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { Cluster } from "ioredis";
import { requireProgram, requireThorough } from "../support/external.ts";
import { admittedByProcesses } from "../support/rate-limit-processes.ts";
import { type RedisServer, startRedisCluster } from "../support/redis-server.ts";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const MINUTE = 60_000 * TICKS_PER_MS;

function chargeOf(key: string, cost = 1, capacity = 5, policyName = "test"): Charge {
  return { policyName, key, cost: cost * MINUTE, capacity: capacity * MINUTE };
}

describe("RedisStore over a cluster of three nodes", function () {
  this.timeout(30_000);
  const folder = tempDirectory();
  const stores = new Set<RedisStore>();
  let nodes: RedisServer[] = [];
  let nextPrefix = 0;

  function url(): string {
    return `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
  }

  async function readyStore(
    options: ConstructorParameters<typeof RedisStore>[0] = {},
  ): Promise<RedisStore> {
    const target = options.client === undefined ? { url: url() } : {};
    const prefix = `t${nextPrefix++}`;
    const store = new RedisStore({ ...target, prefix, deadlineMs: 3000, ...options });
    stores.add(store);
    await store.ready();
    return store;
  }

  async function admittedOf(store: RedisStore, count: number, charge: Charge): Promise<number> {
    const answers = await Promise.all(Array.from({ length: count }, () => store.charge([charge])));
    return answers.filter(([debt]) => debt! <= charge.capacity).length;
  }

  before(async function () {
    requireThorough(this, "20 seconds");
    requireProgram(this, "redis-server");
    requireProgram(this, "redis-cli");
    nodes = await startRedisCluster(folder);
  });

  after(async () => {
    await Promise.all(Array.from(stores, (store) => store.close()));
    await Promise.all(nodes.map((node) => node.kill()));
  });

  describe("conformance", () => {
    const clock = new VirtualClock();
    const cases = sharedStoreConformance({
      createStore: () => readyStore({ clock: clock.now }),
      clock,
    });
    for (const { name, run } of cases) {
      // A group over several slots is charged in parts: parallel ones may refuse each other.
      if (!name.includes("200 parallel groups")) it(name, run);
    }
  });

  it("admits exactly 5 of 200 parallel calls, on every node", async () => {
    const store = await readyStore();
    const keys = Array.from({ length: 30 }, (_, index) => `client-${index}`);
    const admitted = await Promise.all(keys.map((key) => admittedOf(store, 200, chargeOf(key))));
    expect(admitted).to.deep.equal(keys.map(() => 5));
    const held = await Promise.all(nodes.map((node) => node.command("dbsize")));
    expect(held).to.not.include("0");
  });

  it("admits exactly 5 of 200 parallel calls from two processes", async () => {
    const admitted = await admittedByProcesses(2, {
      url: url(),
      prefix: "processes",
      key: "client",
      capacity: 5,
      count: 100,
    });
    expect(admitted[0]! + admitted[1]!).to.equal(5);
  });

  it("admits exactly 5 of 200 parallel calls after SCRIPT FLUSH", async () => {
    const store = await readyStore();
    await Promise.all(nodes.map((node) => node.command("script", "flush")));
    expect(await admittedOf(store, 200, chargeOf("client"))).to.equal(5);
  });

  it("takes over the settings of a Cluster client", async () => {
    const client = new Cluster([{ host: "127.0.0.1", port: nodes[0]!.port }]);
    client.on("error", () => undefined);
    const store = await readyStore({ client });
    expect(await admittedOf(store, 200, chargeOf("client"))).to.equal(5);
    client.disconnect();
  });

  it("never admits beyond a limit with groups over several slots", async () => {
    const store = await readyStore();
    const group = [chargeOf("user", 1, 500), chargeOf("address", 1, 5), chargeOf("network", 1, 50)];
    const answers = await Promise.all(Array.from({ length: 200 }, () => store.charge(group)));
    expect(answers.filter(([, debt]) => debt! <= 5 * MINUTE).length).to.be.within(1, 5);
  });

  it("keeps hostile keys in the slot of their tag", async () => {
    const store = await readyStore();
    for (const key of ["{", "}", "{}", "{user}", "a}{b", "{a}{b}", "x".repeat(1_000_000)]) {
      const group = [chargeOf(key, 1, 5, "one"), chargeOf(key, 1, 5, "{two}"), chargeOf(key)];
      expect(await store.charge(group)).to.have.lengthOf(3);
    }
  });

  it("follows a slot that moves to another node (ASK, TRYAGAIN, MOVED), charging once", async () => {
    const store = await readyStore({ prefix: "moving" });
    await store.charge([chargeOf("mover", 1, 1000)]);
    const slot = await nodes[0]!.command("cluster", "keyslot", "moving:{mover}:test");
    const ids = await Promise.all(nodes.map((node) => node.command("cluster", "myid")));
    const held = await Promise.all(
      nodes.map((node) => node.command("cluster", "countkeysinslot", slot)),
    );
    const from = held.indexOf("1");
    const to = (from + 1) % 3;
    await nodes[to]!.command("cluster", "setslot", slot, "importing", ids[from]!);
    await nodes[from]!.command("cluster", "setslot", slot, "migrating", ids[to]!);

    await Promise.all(Array.from({ length: 10 }, () => store.charge([chargeOf("mover", 1, 1000)])));
    await store.charge([chargeOf("mover", 1, 1000, "asked for")]);
    await moveKeys(nodes[from]!, nodes[to]!, slot);
    await Promise.all(Array.from({ length: 10 }, () => store.charge([chargeOf("mover", 1, 1000)])));
    for (const node of nodes) await node.command("cluster", "setslot", slot, "node", ids[to]!);
    await Promise.all(Array.from({ length: 10 }, () => store.charge([chargeOf("mover", 1, 1000)])));

    const [debt] = await store.charge([chargeOf("mover", 0, 1000)]);
    expect(Math.ceil(debt! / MINUTE)).to.equal(31);
  });

  it("decides on the other nodes while one is frozen, and stands in for that one", async () => {
    const store = await readyStore({ deadlineMs: 100, breakerRetryMs: 200 });
    const limiter = createSharedLimiter({ limit: 5, windowMs: 3_600_000 }, { store });
    const keys = Array.from({ length: 60 }, (_, index) => `client-${index}`);
    await Promise.all(keys.map((key) => limiter.consume(key)));
    nodes[0]!.freeze();
    try {
      for (let round = 0; round < 6; round++) {
        const startedAt = performance.now();
        const decisions = await Promise.all(keys.map((key) => limiter.consume(key)));
        expect(performance.now() - startedAt).to.be.below(250);
        const kinds = new Set(decisions.map(({ kind }) => kind));
        expect([...kinds]).to.deep.equal([round < 4 ? "admitted" : "limited"]);
      }
      expect(limiter.metrics()[0]!.fallback).to.be.within(60, 240);
    } finally {
      nodes[0]!.thaw();
    }
  });

  it("rejects at once while no node can be reached", async () => {
    const store = new RedisStore({ url: "redis+cluster://127.0.0.1:1" });
    stores.add(store);
    const error = await rejection(store.charge([chargeOf("client")]));
    expect(error.code).to.equal("ERR_RATE_LIMIT_STORE_UNAVAILABLE");
  });
});

async function moveKeys(from: RedisServer, to: RedisServer, slot: string): Promise<void> {
  const names = await from.command("cluster", "getkeysinslot", slot, "100");
  for (const name of names.split("\n").filter((line) => line !== "")) {
    await from.command("migrate", "127.0.0.1", String(to.port), name, "0", "2000");
  }
}
