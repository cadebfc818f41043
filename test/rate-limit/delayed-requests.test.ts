import { once } from "node:events";
import { createServer as createHttpServer, request as requestHttp } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import {
  type RateLimitEvent,
  type RateLimitOptions,
  MemoryStore,
  addressKey,
  createLimiter,
  rateLimit,
} from "@hauberk/rate-limit";
import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { type MiddlewareServer } from "../support/middleware-server.ts";
import { closeServers, repliesTo, serve } from "../support/served-middleware.ts";
import { until } from "../support/until.ts";

const POLICY = { limit: 2, windowMs: 60_000, clock: () => 0 };

afterEach(closeServers);

describe("rateLimit() delays", () => {
  const PACED = { limit: 1, windowMs: 1_000_000, burst: 3, delayAfter: 1, clock: (): number => 0 };

  it("let go of a client that leaves, and keep its charge, as nginx does", async () => {
    const events: RateLimitEvent[] = [];
    const reached: string[] = [];
    const limit = rateLimit({ ...PACED, maxWaiting: 1, onEvent: (event) => events.push(event) });
    const server = await serve("node:http", limit, (_request, _response, next) => {
      reached.push("reached");
      next();
    });
    await server.ask();
    const leaving = await abandon(server, () => events.length === 1);
    expect(events[0]).to.deep.include({ kind: "delayed", delayMs: 1_000_000 });
    const refused = await server.ask();
    expect(refused.status, "one is waiting").to.equal(429);
    leaving.destroy();
    await once(leaving, "close");
    const second = await abandon(server, () => events.length === 3);
    expect(events[2]).to.deep.include({ kind: "delayed", delayMs: 2_000_000 });
    second.destroy();
    expect(reached).to.deep.equal(["reached"]);
  });

  it("end before a server that is closing does", async () => {
    const kinds: string[] = [];
    const onEvent: RateLimitOptions["onEvent"] = ({ kind }) => kinds.push(kind);
    const limit = rateLimit({ ...PACED, windowMs: 30, onEvent });
    const server = await serve("node:http", limit);
    await server.ask();
    const reply = server.ask();
    await until(() => kinds.length === 1);
    server.close();
    expect(await reply).to.deep.include({ status: 200, body: "reached" });
  });

  it("refuse at no cost when too many wait", async () => {
    const kinds: string[] = [];
    const limit = rateLimit({ ...PACED, maxWaiting: 1, onEvent: ({ kind }) => kinds.push(kind) });
    const server = await serve("node:http", limit);
    await server.ask();
    const waiting = await abandon(server, () => kinds.length === 1);
    const [first, second] = await repliesTo(server, [{}, {}]);
    expect(first!.headers["retry-after"]).to.equal("2000");
    expect(second!.headers["retry-after"]).to.equal("2000");
    waiting.destroy();
  });

  /** Opens a request that is not waited for, and returns its socket once `isUnderWay`. */
  async function abandon(server: MiddlewareServer, isUnderWay: () => boolean): Promise<Socket> {
    const socket = connectTcp(server.port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    socket.on("error", () => undefined);
    await until(isUnderWay);
    return socket;
  }
});

describe("rateLimit() on connections out of the ordinary", () => {
  it("counts every request of a pipeline", async () => {
    const server = await serve("node:http", rateLimit({ ...POLICY, limit: 3 }));
    const socket = connectTcp(server.port, "127.0.0.1");
    const request = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    const last = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    socket.end(request.repeat(4) + last);
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]);
    expect(statuses).to.deep.equal(["200", "200", "200", "429", "429"]);
  });

  it("counts every one of 200 streams of one HTTP/2 connection", async () => {
    const server = await serve("node:http2", rateLimit({ ...POLICY, limit: 5 }));
    const session = connectHttp2(`http://127.0.0.1:${server.port}`);
    const statuses = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const stream = session.request({ ":path": "/" });
        const [headers] = (await once(stream, "response")) as [{ ":status": number }];
        stream.resume();
        await once(stream, "close");
        return headers[":status"];
      }),
    );
    session.close();
    expect(statuses.filter((status) => status === 200)).to.have.lengthOf(5);
    expect(statuses.filter((status) => status === 429)).to.have.lengthOf(195);
  });

  it("counts a WebSocket's upgrade once when it shares store and name with a limiter", async () => {
    const store = new MemoryStore();
    const limit = rateLimit({ ...POLICY, limit: 3, store });
    const sockets = createLimiter({ limit: 3, windowMs: 60_000 }, { store, clock: () => 0 });
    const server = createHttpServer((request, response) => {
      limit(request, response, () => response.end());
    });
    server.on("upgrade", (request, socket) => {
      const decision = sockets.consume(addressKey(request.socket.remoteAddress ?? ""));
      const head = `upgrade: websocket\r\nconnection: upgrade\r\nx-remaining: ${decision.remaining}`;
      socket.end(`HTTP/1.1 101 Switching Protocols\r\n${head}\r\n\r\n`);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const upgrade = { connection: "upgrade", upgrade: "websocket" };
    const request = requestHttp({ host: "127.0.0.1", port, headers: upgrade, agent: false }).end();
    const [response] = (await once(request, "upgrade")) as [IncomingMessage];
    expect(response.headers["x-remaining"]).to.equal("2");
    server.close();
  });

  it("gives a place back whose client leaves before it is answered", async () => {
    const limit = rateLimit({ ...POLICY, limit: 9, concurrency: 1, skipFailedRequests: true });
    let reached = 0;
    const server = await serve("node:http", limit, (_request, response, next) => {
      reached++;
      if (reached > 1) next();
      else response.once("close", () => reached++);
    });
    const left = requestHttp({ host: "127.0.0.1", port: server.port, agent: false }).end();
    left.on("error", () => undefined);
    await until(() => reached > 0);
    expect((await server.ask()).status).to.equal(429);
    left.destroy();
    await until(() => reached > 1);
    const reply = await server.ask();
    expect(reply.status).to.equal(200);
    expect(reply.headers["ratelimit"]).to.match(/r=8/);
  });

  it("reports what finalCost failed with, and leaves the request charged", async () => {
    const events: RateLimitEvent[] = [];
    for (const finalCost of [
      () => NaN,
      () => Promise.reject(new Error("no cost")),
    ] as RateLimitOptions["finalCost"][]) {
      const options = {
        ...POLICY,
        finalCost,
        onEvent: (event: RateLimitEvent) => events.push(event),
      };
      const server = await serve("node:http", rateLimit(options as RateLimitOptions));
      await server.ask();
      expect((await server.ask()).headers["ratelimit"]).to.match(/r=0/);
    }
    const messages = events.map((event) =>
      event.kind === "settlement-failed" ? (event.error as Error).message : event.kind,
    );
    expect(messages.filter((message) => message === "no cost")).to.have.lengthOf(2);
    expect(messages.filter((message) => message.includes('"finalCost" must be'))).to.have.lengthOf(
      2,
    );
  });
});
