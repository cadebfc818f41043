// @ts-check
import { fork } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { MemoryStore as ErlStore } from "express-rate-limit";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { MemoryStore, createLimiter } from "../../packages/rate-limit/dist/index.js";
import { median, ratioTable } from "../ratios.js";

/** One decision in the memory of a process, at a number of keys; CPU time, and bytes a key. */
const KEY_COUNTS = [1, 100_000];
const PASSES = 3;
const ROUNDS = 25;
const WARM_UP = 8;
const DECISIONS = 65_536;
/** Several windows pass during a run, and a key makes some ten requests in each. */
const WINDOW_MS = 1000;
const LIMIT = 1_000_000_000;

const OURS = "@hauberk/rate-limit";

/**
 * Each returns a function that makes one decision about a key.
 *
 * @type {Record<string, (keyCount: number) => (key: string) => unknown>}
 */
const CONTENDERS = {
  [OURS]: (keyCount) => {
    const store = new MemoryStore({ capacity: Math.max(131_072, keyCount) });
    const limiter = createLimiter({ limit: LIMIT, windowMs: WINDOW_MS }, { store });
    return (key) => limiter.consume(key);
  },
  "express-rate-limit": () => {
    const store = new ErlStore();
    store.init(/** @type {any} */ ({ windowMs: WINDOW_MS }));
    return (key) => store.increment(key);
  },
  "rate-limiter-flexible": () => {
    const limiter = new RateLimiterMemory({ points: LIMIT, duration: WINDOW_MS / 1000 });
    return (key) => limiter.consume(key);
  },
  "@fastify/rate-limit, cache of all keys": (keyCount) => {
    const LocalStore = createRequire(import.meta.url)("@fastify/rate-limit/store/LocalStore.js");
    const store = new LocalStore(false, false, keyCount);
    return (key) => store.incr(key, () => undefined, WINDOW_MS, LIMIT);
  },
};

const [contender, keys] = process.argv.slice(2);
if (contender === undefined) await compare();
else process.send?.(await measure(contender, Number(keys)));

/**
 * @param {string} name
 * @param {number} keyCount
 */
async function measure(name, keyCount) {
  globalThis.gc?.();
  const before = memoryBytes();
  const decide = CONTENDERS[name]?.(keyCount) ?? (() => undefined);
  for (let index = 0; index < keyCount; index++) await decide(keyOf(index));
  globalThis.gc?.();
  const bytesPerKey = (memoryBytes() - before) / keyCount;

  /** @type {number[]} */
  const nanoseconds = [];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    // New strings every round: a string whose hash is known already flatters a Map.
    const keysOfRound = Array.from({ length: DECISIONS }, () =>
      keyOf(Math.floor(Math.random() * keyCount)),
    );
    // CPU time: on a shared machine the clock on the wall also measures the others.
    const start = process.cpuUsage();
    for (const key of keysOfRound) {
      const decision = decide(key);
      if (decision instanceof Promise) await decision;
    }
    const { user, system } = process.cpuUsage(start);
    if (round >= 0) nanoseconds.push(((user + system) * 1000) / DECISIONS);
  }
  return { nanoseconds, bytesPerKey };
}

/**
 * A key as it comes from a socket: one flat string, not joined from parts that are still to be copied.
 *
 * @param {number} index
 */
function keyOf(index) {
  const text = `2001:db8:${(index >>> 16).toString(16)}:${(index & 0xffff).toString(16)}::/64`;
  return Buffer.from(text).toString("latin1");
}

function memoryBytes() {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function bytesASlot() {
  const { arrayBuffers } = process.memoryUsage();
  const store = new MemoryStore();
  return (process.memoryUsage().arrayBuffers - arrayBuffers) / store.capacity;
}

async function compare() {
  console.log(`${bytesASlot().toFixed(2)} bytes a slot in ${OURS}`);
  for (const keyCount of KEY_COUNTS) {
    /** @type {Record<string, number[]>} */
    const times = {};
    /** @type {Record<string, number[]>} */
    const bytes = {};
    for (let pass = 0; pass < PASSES; pass++) {
      for (const name of Object.keys(CONTENDERS)) {
        const child = fork(import.meta.filename, [name, String(keyCount)], {
          execArgv: ["--expose-gc"],
        });
        const [{ nanoseconds, bytesPerKey }] = await once(child, "message");
        (times[name] ??= []).push(median(nanoseconds));
        (bytes[name] ??= []).push(bytesPerKey);
        child.disconnect();
        child.kill();
      }
    }
    const best = (/** @type {readonly number[]} */ list) => Math.min(...list);
    console.log(
      `\n${keyCount.toLocaleString("en")} keys, CPU ns a decision (Node ${process.versions.node})\n`,
    );
    console.log(ratioTable(times, OURS, { "median of 3 processes": median, best }));
    if (keyCount === 1) continue;
    console.log(`\nbytes a key at ${keyCount.toLocaleString("en")} keys, key strings included\n`);
    console.log(ratioTable(bytes, OURS, { bytes: median }));
  }
}
