import { connect as connectHttp2 } from "node:http2";
import { Agent, request as requestHttps } from "node:https";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { once } from "node:events";
import { expect } from "chai";
import { describe, it } from "mocha";
import { type Application, createServer } from "@hauberk/server";
import { requestOn } from "../support/http-client.ts";
import { FRAME, frame, PREFACE } from "../support/http2-frames.ts";
import { type RunningServer, runServer } from "../support/running-server.ts";
import { rejection } from "../support/rejection.ts";
import { testAuthority } from "../support/test-authority.ts";

/** An application whose answers wait until `release` is called. */
function heldApplication(): { app: Application; arrived: Promise<void>; release: () => void } {
  let release = (): void => undefined;
  let arrive = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const app: Application = (_request, response) => {
    arrive();
    void released.then(() => response.end("finished"));
  };
  return { app, arrived, release };
}

function getHttp1(
  server: RunningServer,
  agent: Agent | false,
): Promise<{ text: string; connection: string }> {
  return new Promise((resolve, reject) => {
    const { port, ca } = server;
    const request = requestHttps({ host: "127.0.0.1", port, ca, agent }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => {
        resolve({ text, connection: response.headers.connection ?? "" });
      });
    });
    request.on("error", reject);
    request.end();
  });
}

describe("close()", () => {
  it("finishes an HTTP/1.1 request in flight and takes no new connection", async () => {
    const { app, arrived, release } = heldApplication();
    const server = await runServer({ app, timeouts: { shutdownMs: 60_000 } });
    const answer = getHttp1(server, false);
    await arrived;
    const closed = server.close();
    const refused = await rejection(getHttp1(server, false));
    expect(refused.code).to.equal("ECONNREFUSED");
    release();
    expect((await answer).text).to.equal("finished");
    await closed;
  });

  it("finishes an HTTP/2 request in flight and says GOAWAY", async () => {
    const { app, arrived, release } = heldApplication();
    const server = await runServer({ app, timeouts: { shutdownMs: 60_000 } });
    const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: server.ca });
    const goaway = once(session, "goaway");
    const answer = requestOn(session, "/");
    await arrived;
    const closed = server.close();
    await goaway;
    release();
    expect((await answer).text).to.equal("finished");
    await closed;
  });

  it("ends idle keep-alive connections at once", async () => {
    const app: Application = (_request, response) => response.end("ok");
    const server = await runServer({ app, timeouts: { shutdownMs: 60_000 } });
    const agent = new Agent({ keepAlive: true });
    expect((await getHttp1(server, agent)).connection).to.equal("keep-alive");
    await server.close();
    agent.destroy();
  });

  it("ends what is left when its time is over, also a client in mid handshake", async () => {
    const { app, arrived } = heldApplication();
    const server = await runServer({ app, timeouts: { shutdownMs: 50 } });
    const halfOpen = connectTcp({ host: "127.0.0.1", port: server.port });
    await once(halfOpen, "connect");
    const broken = rejection(getHttp1(server, false));
    await arrived;
    await server.close();
    expect((await broken).code).to.equal("ECONNRESET");
    if (!halfOpen.destroyed) await once(halfOpen, "close");
  });

  it("does not wait for a client that connected and says nothing", async () => {
    const app: Application = (_request, response) => response.end("ok");
    const server = await runServer({ app, timeouts: { shutdownMs: 60_000 } });
    const silent = connectTcp({ host: "127.0.0.1", port: server.port });
    await once(silent, "connect");
    await server.close();
    if (!silent.destroyed) await once(silent.resume(), "close");
  });

  it("waits for no HTTP/2 client that left without GOAWAY", async () => {
    const app: Application = (_request, response) => response.end("ok");
    const server = await runServer({ app, timeouts: { shutdownMs: 60_000 } });
    const { port, ca } = server;
    const socket = connectTls({ host: "127.0.0.1", port, ca, ALPNProtocols: ["h2"] });
    socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0)]));
    await once(socket, "data");
    socket.end();
    await once(socket.resume(), "close");
    await server.close();
  });

  it("while listen() is pending leaves nothing listening", async () => {
    const app: Application = (_request, response) => response.end("ok");
    const certificate = testAuthority().issue();
    const { port } = await runServer({ app }).then(async (used) => {
      await used.close();
      return used;
    });
    const server = createServer({ certificate, app, host: "127.0.0.1", port, httpPort: false });
    const pending = rejection(server.listen());
    await server.close();
    expect((await pending).message).to.equal("Cannot listen: the server was closed");
    const [refused] = (await once(connectTcp({ host: "127.0.0.1", port }), "error")) as [
      NodeJS.ErrnoException,
    ];
    expect(refused.code).to.equal("ECONNREFUSED");
  });

  it("can be called again, and before listen()", async () => {
    const app: Application = (_request, response) => response.end("ok");
    const server = await runServer({ app });
    await Promise.all([server.close(), server.close()]);
    const again = await rejection(server.server.listen());
    expect(again.code).to.equal("ERR_SERVER_ALREADY_LISTENING");
  });
});

describe("slow clients", () => {
  it("get 408 with security headers when the fields of a request do not arrive in time", async () => {
    const app: Application = (_request, response) => response.end("ok");
    const server = await runServer({ app, timeouts: { headersMs: 100, shutdownMs: 50 } });
    try {
      const socket = connectTls({ host: "127.0.0.1", port: server.port, ca: server.ca });
      let answer = "";
      socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
      socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow:");
      await once(socket, "close");
      expect(answer).to.match(/^HTTP\/1\.1 408 /);
      expect(answer).to.include("x-content-type-options: nosniff");
    } finally {
      await server.close();
    }
  });

  it("lose a TLS handshake that does not complete in time", async () => {
    const app: Application = (_request, response) => response.end("ok");
    const server = await runServer({ app, timeouts: { handshakeMs: 100, shutdownMs: 50 } });
    try {
      const socket = connectTcp({ host: "127.0.0.1", port: server.port });
      await once(socket, "connect");
      await once(socket.resume(), "close");
    } finally {
      await server.close();
    }
  });
});
