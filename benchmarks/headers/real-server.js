// @ts-check
import { fork } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { percentile, ratioTable } from "../ratios.js";
import { CONTENDERS } from "./contenders.js";
import { load } from "./pipelined-load.js";

/**
 * CPU microseconds of the server's process for one request, keep-alive and pipelined. The servers take
 * turns, a few milliseconds each; the lower quartile leaves out turns that something else disturbed.
 */
const ROUNDS = 80;
const REQUESTS = 3_000;
const WARM_UP = 8;

if (process.argv.length === 2) await compare();
else await serve(process.argv[2] ?? "");

/** @param {string} name */
async function serve(name) {
  const server = await Reflect.get(CONTENDERS, name)();
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  process.on("message", () => process.send?.(process.cpuUsage()));
  process.send?.(server.address().port);
}

async function compare() {
  const names = Object.keys(CONTENDERS);
  const servers = await Promise.all(names.map(start));
  for (const { name, port } of servers) console.log(`${name}: ${await headerCount(port)} headers`);
  /** @type {Record<string, number[]>} */
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const { name, child, port } of servers) {
      const before = await cpuMicroseconds(child);
      await load(port, REQUESTS);
      const elapsed = (await cpuMicroseconds(child)) - before;
      if (round >= 0) samples[name]?.push(elapsed / REQUESTS);
    }
  }
  for (const { child } of servers) child.kill();

  console.log(`\nCPU, microseconds a request (Node ${process.versions.node})\n`);
  console.log(ratioTable(samples, "node:http, no security headers", { quartile, p75 }));
  console.log("\nWhat the headers add to the server without, microseconds\n");
  console.log(addedCost(samples));
}

/** @param {Record<string, number[]>} samples */
function addedCost(samples) {
  const [node, flat, fast] = [
    "node:http, no security headers",
    "flat list, no security headers",
    "Fastify, no security headers",
  ];
  /** @type {readonly (readonly [ours: string, base: string, theirs: string, theirBase: string])[]} */
  const pairs = [
    ["securityHeaders()", node, "helmet", node],
    ["securityHeaders(), nonce", node, "helmet, nonce", node],
    ["compiled list", flat, "helmet", node],
    ["compiled list, nonce", flat, "helmet, nonce", node],
    ["Fastify, securityHeaders()", fast, "@fastify/helmet", fast],
    ["Fastify, securityHeaders(), nonce", fast, "@fastify/helmet, nonces", fast],
  ];
  const cost = (/** @type {string} */ name, /** @type {string} */ base) =>
    quartile(samples[name] ?? []) - quartile(samples[base] ?? []);
  const rows = pairs.map(([ours, base, theirs, theirBase]) => {
    const [added, addedByThem] = [cost(ours, base), cost(theirs, theirBase)];
    const ratio = (addedByThem / added).toFixed(2);
    return `| ${ours} | ${added.toFixed(2)} | ${theirs} | ${addedByThem.toFixed(2)} | ${ratio} |`;
  });
  return ["| | adds | | adds | times cheaper |", "| --- | --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
}

/** @param {readonly number[]} list */
function quartile(list) {
  return percentile(list, 25);
}

/** @param {readonly number[]} list */
function p75(list) {
  return percentile(list, 75);
}

/** @param {string} name */
async function start(name) {
  const child = fork(new URL(import.meta.url), [name], { execArgv: [] });
  const [port] = await once(child, "message");
  return { name, child, port: Number(port) };
}

/** @param {import("node:child_process").ChildProcess} child */
async function cpuMicroseconds(child) {
  child.send("cpu");
  const [{ user, system }] = await once(child, "message");
  return user + system;
}

/** @param {number} port */
async function headerCount(port) {
  const [response] = await once(get({ port, host: "127.0.0.1", agent: false }), "response");
  response.resume();
  return Object.keys(response.headers).length;
}
