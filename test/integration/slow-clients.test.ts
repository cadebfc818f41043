import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { expect } from "chai";
import { afterEach, before, describe, it } from "mocha";
import { requireProgram, requireThorough } from "../support/external.ts";
import { type Running, startHauberk } from "../support/hauberk-process.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const CONNECTIONS = 2000;
const SECONDS = 12;
/** What the server may take beyond what it had: 250 KB for each of the 1,024 connections it admits. */
const MAX_GROWTH_KB = 1024 * 250;

interface Served {
  readonly port: number;
  readonly ca: Buffer;
  readonly pid: number;
}

/** What a normal client saw during an attack. */
interface Experience {
  readonly answers: number;
  readonly worstMs: number;
  readonly growthKb: number;
}

describe("hauberk serve under slow clients", function () {
  this.timeout(60_000);
  const folder = tempDirectory();
  mkdirSync(join(folder, "public"));
  writeFileSync(join(folder, "public", "index.html"), "<!doctype html><title>Page</title>");
  writeFileSync(join(folder, "public", "large.txt"), "0123456789abcdef".repeat(16_000));
  const env = { HAUBERK_HOME: join(folder, "home") };
  let running: Running | undefined;
  let attack: ChildProcess | undefined;

  before(function () {
    requireThorough(this, "a minute");
    requireProgram(this, "slowhttptest");
  });

  afterEach(async () => {
    attack?.kill("SIGKILL");
    running?.child.kill("SIGKILL");
    await running?.finished;
  });

  async function serve(): Promise<Served> {
    const ports = ["--port", "0", "--http-port", "off", "--log", "off", "--host", "127.0.0.1"];
    running = startHauberk(["serve", "public", ...ports], { cwd: folder, env });
    const [, port] = await running.waitFor(/https:\/\/\S*:(\d+)\/\n[^]*Ctrl\+C/);
    return {
      port: Number(port),
      ca: readFileSync(join(folder, "home", "authority", "ca.pem")),
      pid: running.child.pid!,
    };
  }

  /** Attacks from 127.0.0.1 while a normal client asks from 127.0.0.2, over new connections. */
  async function experienceUnder(mode: readonly string[], path: string): Promise<Experience> {
    const server = await serve();
    for (let request = 0; request < 20; request++) await millisecondsToAnswer(server);
    const atFirst = residentKb(server.pid);
    const url = `https://127.0.0.1:${server.port}${path}`;
    const size = ["-c", String(CONNECTIONS), "-r", "500", "-l", String(SECONDS)];
    attack = spawn("slowhttptest", [...mode, ...size, "-u", url], { stdio: "ignore" });
    const ended = once(attack, "exit");
    const until = performance.now() + SECONDS * 1000;
    let answers = 0;
    let worstMs = 0;
    let highest = atFirst;
    while (performance.now() < until) {
      worstMs = Math.max(worstMs, await millisecondsToAnswer(server));
      highest = Math.max(highest, residentKb(server.pid));
      answers++;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await ended;
    return { answers, worstMs, growthKb: highest - atFirst };
  }

  for (const [what, mode, path] of [
    ["send their header fields slowly", ["-H", "-i", "2"], "/"],
    ["send their content slowly", ["-B", "-i", "2"], "/"],
    [
      "read their responses slowly",
      ["-X", "-w", "10", "-y", "20", "-n", "1", "-z", "5"],
      "/large.txt",
    ],
  ] as const) {
    it(`answers a normal client within a second while 2,000 connections ${what}`, async () => {
      const { answers, worstMs, growthKb } = await experienceUnder(mode, path);
      expect(answers).to.be.above(20);
      expect(worstMs).to.be.below(1000);
      expect(growthKb).to.be.below(MAX_GROWTH_KB);
    });
  }
});

async function millisecondsToAnswer({ port, ca }: Served): Promise<number> {
  const startedAt = performance.now();
  await new Promise<void>((resolve, reject) => {
    const target = { host: "127.0.0.1", localAddress: "127.0.0.2", port, ca, agent: false };
    get({ ...target, path: "/", headers: { host: "localhost" } }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`Answered ${response.statusCode}`));
      response.resume().once("end", resolve);
    }).once("error", reject);
  });
  return performance.now() - startedAt;
}

function residentKb(pid: number): number {
  return Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}
