import { once } from "node:events";
import { readdirSync, truncateSync, writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import type { Application } from "@hauberk/server";
import { sendRaw } from "../support/http-client.ts";
import { type RunningServer, runServer } from "../support/running-server.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const GARBAGE = "GARB\0AGE\r\n\r\n";

function get(path: string, fields = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`;
}

function statuses(answers: string): string[] {
  return [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = ""]) => status);
}

function connectTo({ port, ca }: RunningServer): TLSSocket {
  const socket = connectTls({ host: "127.0.0.1", port, ca });
  socket.on("error", () => undefined);
  return socket;
}

/** Answers `/slow` and `/last` when told to, the latter as the last of its connection; others at once. */
function slowApplication(): { app: Application; seen: string[]; finish: () => void } {
  const seen: string[] = [];
  const waiting: (() => void)[] = [];
  const app: Application = (request, response) => {
    const { url = "" } = request;
    seen.push(url);
    if (url === "/last") response.setHeader("connection", "close");
    if (url === "/slow" || url === "/last") waiting.push(() => response.end(url));
    else response.end(url);
  };
  return { app, seen, finish: () => waiting.forEach((answer) => answer()) };
}

describe("pipelined requests", () => {
  const root = tempDirectory();
  let server: RunningServer;
  before(async () => {
    writeFileSync(join(root, "small.txt"), "small");
    writeFileSync(join(root, "big.bin"), "");
    truncateSync(join(root, "big.bin"), 50_000_000);
    server = await runServer({ root });
  });
  after(() => server.close());

  it("are all answered in order, also when they are more than one TLS record holds", async () => {
    const bytes = get("/small.txt").repeat(1000) + get("/none", "Connection: close\r\n");
    const expected = [...Array.from({ length: 1000 }, () => "200"), "404"];
    expect(statuses(await sendRaw(server, bytes))).to.deep.equal(expected);
  });

  it("open one file at a time, and none once the client has left", async function () {
    if (process.platform !== "linux") this.skip();
    const openFiles = (): number => readdirSync("/proc/self/fd").length;
    const base = openFiles();
    const sockets = Array.from({ length: 3 }, () => connectTo(server));
    for (const socket of sockets) socket.write(get("/big.bin").repeat(100));
    await Promise.all(sockets.map((socket) => once(socket, "data")));
    expect(openFiles() - base).to.be.below(15);
    for (const socket of sockets) socket.destroy();
    while (openFiles() > base) await new Promise(setImmediate);
  });

  it("are not begun after an answer that ends the connection", async () => {
    const { app, seen, finish } = slowApplication();
    const held = await runServer({ app });
    try {
      const answers = sendRaw(held, get("/last") + get("/after"));
      while (seen.length === 0) await new Promise(setImmediate);
      finish();
      expect(statuses(await answers)).to.deep.equal(["200"]);
      expect(seen).to.deep.equal(["/last"]);
    } finally {
      await held.close();
    }
  });

  it("that are no HTTP get 400 after a complete answer", async () => {
    const socket = connectTo(server);
    let answers = "";
    socket.on("data", (chunk: Buffer) => (answers += chunk.toString()));
    socket.write(get("/small.txt"));
    while (!answers.endsWith("small")) await once(socket, "data");
    socket.write(GARBAGE);
    await once(socket, "close");
    expect(statuses(answers)).to.deep.equal(["200", "400"]);
  });

  for (const [title, second, status] of [
    ["no HTTP", GARBAGE, "400"],
    ["CONNECT", "CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", "501"],
  ] as const) {
    it(`are answered with ${status} after, not in place of, those before when they are ${title}`, async () => {
      const { app, seen, finish } = slowApplication();
      const held = await runServer({ app });
      try {
        const answers = sendRaw(held, get("/fast") + get("/slow") + second);
        while (seen.length < 2) await new Promise(setImmediate);
        finish();
        expect(statuses(await answers)).to.deep.equal(["200", "200", status]);
      } finally {
        await held.close();
      }
    });
  }
});

describe("a request that is answered before its content is complete", () => {
  it("gets no second answer when the rest comes too late", async () => {
    const root = tempDirectory();
    const server = await runServer({
      root,
      timeouts: { headersMs: 100, requestMs: 200, shutdownMs: 50 },
    });
    try {
      const post = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n";
      expect(statuses(await sendRaw(server, post))).to.deep.equal(["405"]);
    } finally {
      await server.close();
    }
  });
});

describe("a connection that is reset", () => {
  it("after CONNECT on the plain port does not end the process", async () => {
    const server = await runServer({ app: (_request, response) => response.end("ok") });
    try {
      for (let round = 0; round < 20; round++) {
        const socket = connectTcp({ host: "127.0.0.1", port: server.httpPort });
        await once(socket, "connect");
        socket.write("CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n");
        socket.resetAndDestroy();
      }
      expect(await sendRaw(server, "GET / HTTP/1.0\r\n\r\n", "tcp")).to.match(/^HTTP\/1\.1 400 /);
    } finally {
      await server.close();
    }
  });
});
