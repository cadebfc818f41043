import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { SharedMemoryStore, createLimiter } from "@hauberk/rate-limit";
import { VirtualClock, storeConformance } from "@hauberk/rate-limit/testing";
import { expect } from "chai";
import { describe, it } from "mocha";
import type { WorkerTask } from "../support/rate-limit-worker.ts";

const PROGRAM = new URL("../support/rate-limit-worker.js", import.meta.url);

type Task = Pick<WorkerTask, "limit" | "keys" | "rounds" | "isFrozen">;

/** Resolves with the admitted requests of each key, by `threads` workers that begin together. */
async function admittedByThreads(
  threads: number,
  store: SharedMemoryStore,
  task: Task,
): Promise<number[]> {
  const start = new Int32Array(new SharedArrayBuffer(4));
  const counts = new Int32Array(new SharedArrayBuffer(4 * (task.keys.length + 1)));
  const workerData: WorkerTask = { ...task, buffer: store.buffer, start, counts };
  const workers = Array.from({ length: threads }, () => new Worker(PROGRAM, { workerData }));
  const ended = workers.map((worker) => once(worker, "exit"));
  while (Atomics.load(counts, 0) < threads) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  Atomics.store(start, 0, 1);
  Atomics.notify(start, 0);
  const codes = await Promise.all(ended);
  expect(codes.flat()).to.deep.equal(Array.from({ length: threads }, () => 0));
  return [...counts.subarray(1)];
}

describe("SharedMemoryStore", () => {
  const clock = new VirtualClock();
  for (const { name, run } of storeConformance({
    createStore: () => new SharedMemoryStore({ clock: clock.now }),
    clock,
  })) {
    it(name, run);
  }

  it("admits exactly 5 of 200 calls by four threads", async () => {
    const task = { limit: 5, keys: ["client"], rounds: 50, isFrozen: false };
    expect(await admittedByThreads(4, new SharedMemoryStore(), task)).to.deep.equal([5]);
  });

  it("stays exact under contention for one set of eight keys", async () => {
    const store = new SharedMemoryStore({ capacity: 8 });
    const keys = Array.from({ length: 8 }, (_, index) => `client-${index}`);
    const task = { limit: 10_000, keys, rounds: 6000, isFrozen: true };
    const admitted = await admittedByThreads(3, store, task);
    expect(admitted).to.deep.equal(keys.map(() => 10_000));
  });

  it("shares debts with a store of the same buffer, and none with another", () => {
    const one = new SharedMemoryStore({ capacity: 8, clock: () => 0 });
    const other = new SharedMemoryStore({ buffer: one.buffer, clock: () => 0 });
    one.ledger("test").charge("client", 3, 10, 0);
    expect(other.ledger("test").charge("client", 0, 10, 0)).to.equal(3);
    expect(new SharedMemoryStore().ledger("test").charge("client", 0, 10, 0)).to.equal(0);
    expect(other.capacity).to.equal(8);
  });

  it("takes 16.5 bytes a slot", () => {
    const { buffer, capacity } = new SharedMemoryStore({ capacity: 100_000 });
    expect(capacity).to.equal(131_072);
    expect(buffer.byteLength / capacity).to.be.within(16.5, 16.51);
  });

  it("goes on after a thread that was terminated in the middle of a charge", () => {
    const store = new SharedMemoryStore({ capacity: 8 });
    const limiter = createLimiter({ limit: 2, windowMs: 3_600_000 }, { store });
    limiter.consume("client");
    const lockOfTheOnlySet = new Int32Array(store.buffer, store.buffer.byteLength - 4);
    lockOfTheOnlySet[0] = 12_345;
    expect(limiter.consume("client").remaining).to.equal(0);
    expect(limiter.consume("client").kind).to.equal("limited");
  });

  it("counts on real time when it is given no clock", () => {
    const store = new SharedMemoryStore();
    const limiter = createLimiter({ limit: 1, windowMs: 86_400_000 }, { store });
    limiter.consume("client");
    expect(limiter.consume("client").resetMs).to.be.within(86_300_000, 86_400_000);
  });

  it("keeps the least indebted out when a set is full", () => {
    const store = new SharedMemoryStore({ capacity: 8, clock: () => 0 });
    const ledger = store.ledger("test");
    for (let index = 0; index < 8; index++) ledger.charge(`client-${index}`, 10 + index, 100, 0);
    ledger.charge("newcomer", 50, 100, 0);
    expect(ledger.charge("client-0", 0, 100, 0)).to.equal(0);
    expect(ledger.charge("client-7", 0, 100, 0)).to.equal(17);
  });

  it("refuses what is no buffer of such a store", () => {
    const wanted = /"buffer" must be the buffer of a SharedMemoryStore/;
    for (const buffer of [
      new ArrayBuffer(64),
      new SharedArrayBuffer(0),
      new SharedArrayBuffer(1000),
      new SharedMemoryStore().buffer.slice(0, 1000),
      "buffer",
    ]) {
      expect(() => new SharedMemoryStore({ buffer: buffer as SharedArrayBuffer })).to.throw(
        TypeError,
        wanted,
      );
    }
  });

  it("refuses both a capacity and a buffer, and unknown options", () => {
    const { buffer } = new SharedMemoryStore();
    expect(() => new SharedMemoryStore({ buffer, capacity: 8 })).to.throw(TypeError, /one of them/);
    expect(() => new SharedMemoryStore({ capacity: 7 })).to.throw(RangeError, /"capacity"/);
    expect(() => new SharedMemoryStore({ capcity: 8 } as never)).to.throw(
      TypeError,
      /"capacity"\?/,
    );
  });
});
