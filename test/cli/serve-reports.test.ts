import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { cspReport } from "../support/collector-server.ts";
import { runHauberk, startHauberk, type Running } from "../support/hauberk-process.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const TOKEN = "a-token-of-24-characters";

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

describe("hauberk serve --reports", function () {
  this.timeout(15_000);
  const folder = tempDirectory();
  mkdirSync(join(folder, "public"));
  writeFileSync(join(folder, "public", "index.html"), "<script src=app.js></script>");
  writeFileSync(join(folder, "public", "app.js"), "1");
  let running: Running | undefined;

  afterEach(async () => {
    running?.child.kill("SIGKILL");
    await running?.finished;
  });

  async function start(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<(path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>> {
    running = startHauberk(
      ["serve", "public", "--port", "0", "--http-port", "off", "--log", "off", ...args],
      {
        cwd: folder,
        env: { HAUBERK_HOME: join(folder, "home"), ...env },
      },
    );
    const [, port = ""] = await running.waitFor(/https:\/\/\S*:(\d+)\/\n[^]*Ctrl\+C/);
    const ca = readFileSync(join(folder, "home", "authority", "ca.pem"));
    return async (path, body, headers = {}) => {
      const sent = request({
        host: "localhost",
        port,
        ca,
        path,
        method: body === undefined ? "GET" : "POST",
        headers: body === undefined ? headers : { "content-type": "application/reports+json" },
        agent: false,
      });
      sent.end(
        body === undefined ? undefined : JSON.stringify([cspReport(`https://localhost:${port}`)]),
      );
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      return { status: response.statusCode, body: await text(response) };
    };
  }

  it("keeps what browsers report in a file, shows it, and csp learn reads it", async () => {
    const ask = await start(["--reports", "reports.jsonl", "--integrity"]);
    expect((await ask("/")).body).to.match(/^<script integrity="sha384-/);
    expect((await ask("/.well-known/reports/csp", [])).status).to.equal(204);
    expect((await ask("/.well-known/reports/")).body).to.include("https://cdn.example/logo.png");
    running?.child.kill("SIGTERM");
    expect((await running?.finished)?.code).to.equal(0);
    const learned = await runHauberk(["csp", "learn", "reports.jsonl", "--min-reporters", "1"], {
      cwd: folder,
    });
    expect(learned.stdout).to.include("+   https://cdn.example");
  });

  it("asks for the token of HAUBERK_REPORTS_TOKEN", async () => {
    const ask = await start(["--reports", "reports.jsonl"], { HAUBERK_REPORTS_TOKEN: TOKEN });
    expect((await ask("/.well-known/reports/")).status).to.equal(401);
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await ask("/.well-known/reports/", undefined, headers)).status).to.equal(200);
  });

  it("takes no reports unless asked to", async () => {
    const ask = await start([]);
    expect((await ask("/.well-known/reports/")).status).to.equal(404);
  });
});
