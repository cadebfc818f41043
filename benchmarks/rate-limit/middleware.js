// @ts-check
import { fork } from "node:child_process";
import { once } from "node:events";
import { rateLimit as expressRateLimit } from "express-rate-limit";
import { rateLimit } from "../../packages/rate-limit/dist/index.js";
import { median, ratioTable } from "../ratios.js";

/**
 * One admitted request through the middleware, from the call to `next`, at 100,000 keys: CPU time.
 * The requests and responses are stand-ins: node:http would hide the difference.
 */
const KEYS = 100_000;
const PASSES = 3;
const ROUNDS = 20;
const REQUESTS = 65_536;
const WINDOW_MS = 60_000;
const LIMIT = 1_000_000_000;

const OURS = "@hauberk/rate-limit";
const BASIS = `${OURS}, draft-11 fields`;

/** @typedef {(request: any, response: any, next: () => void) => unknown} Middleware */

/** @type {Record<string, () => Middleware>} */
const CONTENDERS = {
  [BASIS]: () => rateLimit({ windowMs: WINDOW_MS, limit: LIMIT }),
  [`${OURS}, no fields`]: () => rateLimit({ windowMs: WINDOW_MS, limit: LIMIT, headers: [] }),
  "express-rate-limit, draft-8 fields": () => expressMiddleware("draft-8"),
  "express-rate-limit, no fields": () => expressMiddleware(false),
};

const [contender] = process.argv.slice(2);
if (contender === undefined) await compare();
else process.send?.(await measure(CONTENDERS[contender] ?? (() => () => undefined)));

/** @param {"draft-8" | false} standardHeaders */
function expressMiddleware(standardHeaders) {
  return expressRateLimit({
    windowMs: WINDOW_MS,
    limit: LIMIT,
    standardHeaders,
    legacyHeaders: false,
    validate: false,
  });
}

/** @param {() => Middleware} create */
async function measure(create) {
  const middleware = create();
  for (let index = 0; index < KEYS; index++) await run(middleware, addressOf(index));
  /** @type {number[]} */
  const nanoseconds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const addresses = Array.from({ length: REQUESTS }, () =>
      addressOf(Math.floor(Math.random() * KEYS)),
    );
    const start = process.cpuUsage();
    for (const address of addresses) {
      const pending = run(middleware, address);
      if (pending !== undefined) await pending;
    }
    const { user, system } = process.cpuUsage(start);
    nanoseconds.push(((user + system) * 1000) / REQUESTS);
  }
  return median(nanoseconds);
}

/**
 * @param {Middleware} middleware
 * @param {string} address
 */
function run(middleware, address) {
  const request = { ip: address, socket: { remoteAddress: address }, headers: {}, method: "GET" };
  const fields = new Map();
  const response = {
    headersSent: false,
    getHeader: (/** @type {string} */ name) => fields.get(name),
    setHeader: (/** @type {string} */ name, /** @type {string} */ value) => fields.set(name, value),
    append: (/** @type {string} */ name, /** @type {string} */ value) => fields.set(name, value),
  };
  return middleware(request, response, () => undefined);
}

/**
 * An address as it comes from a socket: one flat string.
 *
 * @param {number} index
 */
function addressOf(index) {
  return Buffer.from(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`).toString("latin1");
}

async function compare() {
  /** @type {Record<string, number[]>} */
  const times = {};
  for (let pass = 0; pass < PASSES; pass++) {
    for (const name of Object.keys(CONTENDERS)) {
      const child = fork(import.meta.filename, [name]);
      const [nanoseconds] = await once(child, "message");
      (times[name] ??= []).push(nanoseconds);
      child.disconnect();
    }
  }
  console.log(`\nMiddleware, CPU ns a request (Node ${process.versions.node})\n`);
  console.log(ratioTable(times, BASIS, { median, best: (list) => Math.min(...list) }));
}
