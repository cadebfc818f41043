import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { readText, repositoryRoot, writtenFiles } from "../support/repository.ts";
import { tempDirectory } from "../support/temp-directory.ts";

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe("every example", () => {
  for (const path of writtenFiles("examples").filter((file) =>
    /^examples\/[^/]+\.ts$/.test(file),
  )) {
    it(`is at most 40 lines long: ${path}`, () => {
      expect(readText(path).trimEnd().split("\n").length).to.be.at.most(40);
    });
  }
});

describe("examples/express-app.ts", () => {
  const folder = tempDirectory();
  let example: ChildProcess;
  let origin = "";
  let ca = "";

  before(async () => {
    example = spawn(
      process.execPath,
      [join(repositoryRoot, "build", "examples", "express-app.js"), "0", "0"],
      {
        cwd: folder,
        env: { ...process.env, HAUBERK_HOME: join(folder, "home") },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const announcement = await firstOutput(example, /--cacert "(.+)" (https:\S+)/);
    [, ca = "", origin = ""] = announcement;
  });

  after(() => {
    example.kill("SIGKILL");
  });

  const ask = async (method: string, path: string, body?: string): Promise<Reply> => {
    const asking = request(new URL(path, origin), {
      method,
      ca: readFileSync(ca),
      agent: false,
      headers: body === undefined ? {} : { "content-type": "application/json" },
    });
    asking.end(body);
    const [response] = (await once(asking, "response")) as [IncomingMessage];
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  };

  it("admits the script that carries the nonce of the response", async () => {
    const { status, headers, body } = await ask("GET", "/");
    const nonce = /<script nonce="([^"]+)">/.exec(body)?.[1];
    expect(status).to.equal(200);
    expect(headers["content-security-policy"]).to.include(`'nonce-${nonce}'`);
  });

  it("counts requests and says so", async () => {
    const { headers } = await ask("GET", "/");
    expect(headers["ratelimit-policy"]).to.equal('"default";q=100;w=60');
  });

  it("reads a JSON body", async () => {
    const { status, body } = await ask("POST", "/echo", '{"ring":"steel"}');
    expect(status).to.equal(200);
    expect(JSON.parse(body)).to.deep.equal({ ring: "steel" });
  });

  it("ends with exit code 0 on SIGTERM", async () => {
    example.kill("SIGTERM");
    const [code] = (await once(example, "exit")) as [number | null];
    expect(code).to.equal(0);
  });
});

describe("examples/node-https.ts", () => {
  const folder = tempDirectory();

  it("serves with a certificate that its CA vouches for, and ends on SIGTERM", async () => {
    const example = spawn(
      process.execPath,
      [join(repositoryRoot, "build", "examples", "node-https.js"), "0"],
      {
        cwd: folder,
        env: { ...process.env, HAUBERK_HOME: join(folder, "home") },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const [, ca = "", origin = ""] = await firstOutput(example, /--cacert "(.+)" (https:\S+)/);
    const asking = request(new URL(origin), { ca: readFileSync(ca), agent: false }).end();
    const [response] = (await once(asking, "response")) as [IncomingMessage];
    expect(await text(response)).to.equal("hello\n");
    example.kill("SIGTERM");
    const [code] = (await once(example, "exit")) as [number | null];
    expect(code).to.equal(0);
  });
});

describe("examples/mocha-https.ts", () => {
  const folder = tempDirectory();

  it("passes under mocha", async () => {
    const mocha = join(repositoryRoot, "node_modules", "mocha", "bin", "mocha.js");
    const example = join(repositoryRoot, "build", "examples", "mocha-https.js");
    const running = spawn(process.execPath, [mocha, "--no-config", "--no-package", example], {
      cwd: folder,
      env: { ...process.env, HAUBERK_HOME: join(folder, "home") },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const output = text(running.stdout);
    const [code] = (await once(running, "exit")) as [number | null];
    expect(code).to.equal(0);
    expect(await output).to.include("1 passing");
  });
});

/** Resolves with the match of `pattern` in what the program prints; rejects when it ends before. */
async function firstOutput(program: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  let output = "";
  return new Promise((resolve, reject) => {
    program.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      const match = pattern.exec(output);
      if (match !== null) resolve(match);
    });
    program.once("exit", (code) => {
      reject(new Error(`The program ended with exit code ${code} after: ${output}`));
    });
  });
}
