import { once } from "node:events";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { connect, createServer } from "node:http2";
import type { Socket } from "node:net";
import { applyHttp2Limits, type Http2Limits, http2ServerOptions } from "@hauberk/tls";
import { expect } from "chai";
import { describe, it } from "mocha";
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  GET_BLOCK,
  POST_BLOCK,
  rawHttp2,
  setting,
} from "../support/http2-frames.ts";
import { listenForTest } from "../support/tls-handshake.ts";

const INITIAL_WINDOW_SIZE = 4;
const GOAWAY = `${FRAME.goaway}:0`;
const limits = { idleTimeoutMs: 60, stalledTimeoutMs: 60 };
const slow = 86_400_000;
const get = frame(FRAME.headers, END_HEADERS | END_STREAM, 1, GET_BLOCK);

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

async function listening(answer: Answer, given: Http2Limits = limits) {
  const server = createServer(http2ServerOptions(given));
  applyHttp2Limits(server, given);
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    answer(stream, headers);
  });
  return { server, port: await listenForTest(server) };
}

async function settingsOf(given: Http2Limits) {
  const { port } = await listening(answerAtOnce, given);
  const session = connect(`http://127.0.0.1:${String(port)}`);
  await once(session, "remoteSettings");
  const settings = session.remoteSettings;
  session.destroy();
  return settings;
}

const answerAtOnce: Answer = (stream) => {
  stream.respond({ ":status": 200 });
  stream.end("done");
};

describe("applyHttp2Limits()", () => {
  it("ends a session without requests by GOAWAY", async () => {
    const { port } = await listening(answerAtOnce);
    const client = rawHttp2(port, []);
    await client.closed;
    expect(client.received.at(-1)).to.equal(GOAWAY);
  });

  it("ends a session that is idle after its requests, and not before them", async () => {
    const { port } = await listening(answerAtOnce);
    const client = rawHttp2(port, [get]);
    await client.closed;
    expect(client.received).to.include(`${FRAME.data}:${END_STREAM}`);
    expect(client.received.at(-1)).to.equal(GOAWAY);
  });

  it("ends an idle session that keeps sending pings", async () => {
    const { port } = await listening(answerAtOnce);
    const ping = frame(FRAME.ping, 0, 0, Buffer.alloc(8));
    const client = rawHttp2(port, [ping], {
      onFrame: (name) => {
        if (name === `${FRAME.ping}:${ACK}`) client.socket.write(ping);
      },
    });
    await client.closed;
    expect(client.received.filter((name) => name === `${FRAME.ping}:${ACK}`).length).to.be.above(1);
    expect(client.received).to.include(GOAWAY);
  });

  it("ends a session whose HEADERS never end", async () => {
    const { port } = await listening(answerAtOnce);
    const client = rawHttp2(port, [frame(FRAME.headers, END_STREAM, 1, GET_BLOCK)]);
    await client.closed;
    expect(client.received).to.include(GOAWAY);
  });

  it("ends a session that opens no window for the response it asked for", async () => {
    const { port } = await listening(answerAtOnce, { ...limits, idleTimeoutMs: slow });
    const settings = setting(INITIAL_WINDOW_SIZE, 0);
    const client = rawHttp2(port, [get], { settings });
    await client.closed;
    expect(client.received).to.include(GOAWAY);
    expect(client.received).to.not.include(`${FRAME.data}:${END_STREAM}`);
  });

  it("ends a session that does not send the body it announced", async () => {
    const { port } = await listening(() => undefined, { ...limits, idleTimeoutMs: slow });
    const client = rawHttp2(port, [frame(FRAME.headers, END_HEADERS, 1, POST_BLOCK)]);
    await client.closed;
    expect(client.received).to.include(GOAWAY);
  });

  it("closes the socket of a client that never closes its side", async () => {
    const { server, port } = await listening(answerAtOnce);
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const client = rawHttp2(port, [], { keepOpen: true });
    const [socket] = await accepted;
    await once(socket, "close");
    expect(socket.destroyed).to.equal(true);
    client.socket.destroy();
  });

  it("closes the socket of a client that never reads", async () => {
    const window = 2 ** 31 - 1;
    const { server, port } = await listening(
      (stream) => {
        stream.respond({ ":status": 200 });
        stream.end(Buffer.alloc(16_777_216));
      },
      { ...limits },
    );
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const connectionWindow = Buffer.alloc(4);
    connectionWindow.writeUInt32BE(window - 65_535);
    const client = rawHttp2(port, [frame(8, 0, 0, connectionWindow), get], {
      settings: setting(INITIAL_WINDOW_SIZE, window),
      keepOpen: true,
    });
    client.socket.pause();
    const [socket] = await accepted;
    await once(socket, "close");
    expect(socket.destroyed).to.equal(true);
    client.socket.destroy();
  });

  it("gives an application the time it needs, while an idle session is ended", async () => {
    let answerLate: (() => void) | undefined;
    const { port } = await listening((stream) => {
      answerLate = () => {
        answerAtOnce(stream, {});
      };
    });
    const waiting = rawHttp2(port, [get]);
    await rawHttp2(port, []).closed;
    await rawHttp2(port, []).closed;
    const answeredAt = performance.now();
    answerLate?.();
    await waiting.closed;
    expect(performance.now() - answeredAt).to.be.at.least(limits.idleTimeoutMs - 5);
    expect(waiting.received).to.include(`${FRAME.data}:${END_STREAM}`);
  });

  it("leaves a quiet event stream open, while an idle session is ended", async () => {
    let stream: ServerHttp2Stream | undefined;
    const { port } = await listening((opened) => {
      stream = opened;
      opened.respond({ ":status": 200, "content-type": "text/event-stream" });
      opened.write("data: hello\n\n");
    });
    const listener = rawHttp2(port, [get]);
    await rawHttp2(port, []).closed;
    await rawHttp2(port, []).closed;
    expect(stream?.destroyed).to.equal(false);
    expect(listener.received).to.not.include(GOAWAY);
    stream?.end();
    await listener.closed;
  });

  it("lets a large response through to a client that reads", async () => {
    const body = Buffer.alloc(4_194_304);
    const { port } = await listening((stream) => {
      stream.respond({ ":status": 200 });
      stream.end(body);
    });
    const session = connect(`http://127.0.0.1:${String(port)}`);
    const request = session.request({ ":path": "/" });
    let bytes = 0;
    request.on("data", (chunk: Buffer) => (bytes += chunk.length));
    await once(request, "end");
    expect(bytes).to.equal(body.length);
    session.destroy();
  });

  it("refuses unknown limits and ones out of range", () => {
    const server = createServer();
    expect(() => applyHttp2Limits(server, { idleTimeout: 1 } as never)).to.throw(
      TypeError,
      /applyHttp2Limits\.idleTimeout: did you mean "idleTimeoutMs"/,
    );
    expect(() => applyHttp2Limits(server, { stalledTimeoutMs: 0 })).to.throw(RangeError, /got 0/);
  });
});

describe("http2ServerOptions()", () => {
  it("announces 100 streams and no server push", async () => {
    const settings = await settingsOf({});
    expect(settings).to.include({
      maxConcurrentStreams: 100,
      enablePush: false,
      maxHeaderListSize: 32_768,
    });
  });

  it("announces the number of streams it is given", async () => {
    expect((await settingsOf({ maxConcurrentStreams: 7 })).maxConcurrentStreams).to.equal(7);
  });

  it("refuses a number of streams that is none", () => {
    expect(() => http2ServerOptions({ maxConcurrentStreams: 0 })).to.throw(RangeError);
    expect(() => http2ServerOptions({ maxStreams: 5 } as never)).to.throw(TypeError, /maxStreams/);
  });
});
