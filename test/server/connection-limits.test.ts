import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { BanList } from "@hauberk/rate-limit";
import type { ServerConfig, ServerEvent } from "@hauberk/server";
import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { type RunningServer, runServer } from "../support/running-server.ts";

describe("createServer() connections", () => {
  const servers = new Set<RunningServer>();
  const sockets = new Set<Socket>();

  async function run(config: Partial<ServerConfig>): Promise<RunningServer> {
    const server = await runServer({
      app: (_request, response) => void response.end("hello"),
      ...config,
    });
    servers.add(server);
    return server;
  }

  /** Opens a connection and asks for something; resolves with whether there was an answer. */
  async function opens({ httpPort }: RunningServer, localAddress = "127.0.0.1"): Promise<boolean> {
    const socket = connect({ port: httpPort, host: "127.0.0.1", localAddress });
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    return new Promise((resolve) => {
      socket.once("data", () => resolve(true));
      socket.once("close", () => resolve(false));
    });
  }

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(Array.from(servers, (server) => server.close()));
    sockets.clear();
    servers.clear();
  });

  it("resets the connections of one address beyond perAddress, and of no other", async () => {
    const server = await run({ connections: { perAddress: 2 } });
    const opened = [await opens(server), await opens(server), await opens(server)];
    expect(opened).to.deep.equal([true, true, false]);
    expect(await opens(server, "127.0.0.2")).to.equal(true);
  });

  it("counts a connection until it is closed, on both ports together", async () => {
    const server = await run({ connections: { perAddress: 1 } });
    const secure = connectTls({ port: server.port, host: "127.0.0.1", ca: server.ca });
    sockets.add(secure);
    await once(secure, "secureConnect");
    expect(await opens(server)).to.equal(false);
    secure.destroy();
    await once(secure, "close");
    while (!(await opens(server))) await new Promise((resolve) => setImmediate(resolve));
  });

  it("refuses a TLS connection before the handshake", async () => {
    const server = await run({ connections: { perAddress: 1 } });
    expect(await opens(server)).to.equal(true);
    const socket = connect({ port: server.port, host: "127.0.0.1" });
    sockets.add(socket);
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    expect(error.code).to.be.oneOf(["ECONNRESET", "EPIPE"]);
    expect(socket.bytesRead).to.equal(0);
  });

  it("refuses a banned network, and tells who was refused", async () => {
    const bans = new BanList();
    bans.ban("127.0.0.0/24", { durationMs: 60_000, reason: "test" });
    const events: ServerEvent[] = [];
    const server = await run({
      connections: { bans },
      onEvent: (event) => void events.push(event),
    });
    expect(await opens(server)).to.equal(false);
    expect(events[0]).to.deep.include({ kind: "connection-refused" });
    expect(events[0]?.error).to.have.property("message", "Refused 127.0.0.1: banned");
    bans.unban("127.0.0.0/24");
    expect(await opens(server)).to.equal(true);
  });

  it("does not count the connections of a trusted proxy against one address", async () => {
    const server = await run({
      connections: { perAddress: 1, perPrefix: 1, handshakesPerSecond: 1 },
      trustedProxies: ["127.0.0.1"],
    });
    for (let index = 0; index < 20; index++) expect(await opens(server)).to.equal(true);
  });

  it("limits how fast an address opens connections", async () => {
    const server = await run({ connections: { handshakesPerSecond: 1 }, clock: () => 0 });
    const opened: boolean[] = [];
    for (let index = 0; index < 12; index++) opened.push(await opens(server));
    expect(opened.filter(Boolean)).to.have.lengthOf(10);
  });

  it("opens any number with connections: false", async () => {
    const server = await run({ connections: false });
    for (let index = 0; index < 20; index++) expect(await opens(server)).to.equal(true);
  });

  describe("data rate", () => {
    const dataRate = { minBytesPerSecond: 1000, graceMs: 100 };

    /** Sends a head and then a byte every 20 ms; resolves with all that came, when the server ends it. */
    async function trickle(
      server: RunningServer,
      head: string,
      isSecure: boolean,
    ): Promise<string> {
      const socket = isSecure
        ? connectTls({ port: server.port, host: "127.0.0.1", ca: server.ca })
        : connect({ port: server.httpPort, host: "127.0.0.1" });
      sockets.add(socket);
      socket.on("error", () => undefined);
      let received = "";
      socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
      await once(socket, isSecure ? "secureConnect" : "connect");
      socket.write(head);
      const timer = setInterval(() => socket.write("x"), 20);
      await once(socket, "close");
      clearInterval(timer);
      return received;
    }

    const head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n";

    it("answers 408 to content that trickles in, with the security headers", async () => {
      const server = await run({
        dataRate,
        app: (request, response) => {
          request.resume().once("end", () => response.end("read"));
        },
      });
      const received = await trickle(server, head, true);
      expect(received).to.match(/^HTTP\/1\.1 408 /);
      expect(received.toLowerCase()).to.include("strict-transport-security");
    });

    it("ends the connection whose content trickles in after its answer", async () => {
      const server = await run({ dataRate });
      const received = await trickle(server, head.replace("100000", "500"), true);
      expect(received).to.match(/^HTTP\/1\.1 200 /);
      expect(received).to.not.include(" 408 ");
    });

    it("does not blame a client while the application does not read", async () => {
      let finish = (): void => undefined;
      const server = await run({
        dataRate,
        app: (request, response) => {
          finish = () => void request.resume().once("end", () => response.end("read at last"));
        },
      });
      const socket = connectTls({ port: server.port, host: "127.0.0.1", ca: server.ca });
      sockets.add(socket);
      socket.write(`${head.replace("100000", "50000")}${"x".repeat(40_000)}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
      finish();
      socket.write("x".repeat(10_000));
      let received = "";
      socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
      while (!received.includes("read at last")) await once(socket, "data");
      expect(received).to.match(/^HTTP\/1\.1 200 /);
    });

    it("ends a response that the client does not read", async () => {
      const server = await run({
        dataRate: { minBytesPerSecond: 1_000_000, graceMs: 100 },
        app: (_request, response) => {
          const chunk = Buffer.alloc(65_536);
          const write = (): void => {
            while (response.write(chunk));
          };
          response.on("drain", write);
          write();
        },
      });
      const socket = connectTls({ port: server.port, host: "127.0.0.1", ca: server.ca });
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
      await once(socket, "readable");
      await new Promise((resolve) => setTimeout(resolve, 1000));
      socket.resume();
      await once(socket, "close");
    });

    it("leaves a response alone that the application is still thinking about", async () => {
      const server = await run({
        dataRate,
        app: (_request, response) => {
          response.write("first ");
          setTimeout(() => response.end("last"), 600);
        },
      });
      const socket = connectTls({ port: server.port, host: "127.0.0.1", ca: server.ca });
      sockets.add(socket);
      socket.write("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
      let received = "";
      socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
      await once(socket, "close");
      expect(received).to.include("last");
    });
  });
});
