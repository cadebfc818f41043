// @ts-check
import { fork } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { median, ratioTable } from "../ratios.js";
import { CONTENDERS } from "./contenders.js";
import { load } from "./pipelined-load.js";

/** CPU microseconds of the server's process for one request, keep-alive and pipelined. */
const ROUNDS = 15;
const REQUESTS = 20_000;

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
  for (let round = -3; round < ROUNDS; round++) {
    for (const { name, child, port } of servers) {
      const before = await cpuMicroseconds(child);
      await load(port, REQUESTS);
      const elapsed = (await cpuMicroseconds(child)) - before;
      if (round >= 0) samples[name]?.push(elapsed / REQUESTS);
    }
  }
  for (const { child } of servers) child.kill();

  console.log(`\nCPU, microseconds a request (Node ${process.versions.node})\n`);
  console.log(ratioTable(samples, "node:http, no security headers", { median }));
  console.log("\nWhat the headers add to the server without, microseconds\n");
  console.log(addedCost(samples));
}

/** @param {Record<string, number[]>} samples */
function addedCost(samples) {
  /** @type {readonly (readonly [ours: string, theirs: string, base: string])[]} */
  const pairs = [
    ["securityHeaders()", "helmet", "node:http, no security headers"],
    ["securityHeaders(), nonce", "helmet, nonce", "node:http, no security headers"],
    ["compiled list in writeHead", "helmet", "node:http, no security headers"],
    ["Fastify, securityHeaders()", "@fastify/helmet", "Fastify, no security headers"],
    [
      "Fastify, securityHeaders(), nonce",
      "@fastify/helmet, nonces",
      "Fastify, no security headers",
    ],
  ];
  const cost = (/** @type {string} */ name, /** @type {string} */ base) => {
    const added = (samples[name] ?? []).map(
      (value, round) => value - (samples[base]?.[round] ?? 0),
    );
    return median(added);
  };
  const rows = pairs.map(([ours, theirs, base]) => {
    const [added, addedByThem] = [cost(ours, base), cost(theirs, base)];
    const ratio = (addedByThem / added).toFixed(2);
    return `| ${ours} | ${added.toFixed(2)} | ${theirs} | ${addedByThem.toFixed(2)} | ${ratio} |`;
  });
  return ["| | adds | | adds | times cheaper |", "| --- | --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
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
