import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { announcedBytes } from "./access-log.ts";
import { type Answer, bodyLength } from "./answer.ts";
import { clientErrorStatus, writeRawAnswer } from "./client-error.ts";
import type { ServerSettings } from "./config.ts";
import type { Connections } from "./connections.ts";
import { type DataRate, DataRateWatch } from "./data-rate.ts";
import { type ExchangeContext, runExchange } from "./exchange.ts";
import { admitHttp1, type Admission } from "./request-gate.ts";
import { writeHttp1 } from "./writers/http1.ts";

export interface Http1Settings {
  readonly scheme: "https" | "http";
  readonly timeouts: ServerSettings["timeouts"];
  readonly connections: Connections;
  readonly dataRate: DataRate | false;
}

const MAX_CHECKING_INTERVAL_MS = 2000;

/**
 * Returns a node:http server that never listens: connections are given to it with `emit("connection", socket)`.
 * Field lists are never truncated (`maxHeadersCount` 0), a missing Host gets our 400 rather than Node's.
 */
export function createHttp1Server(context: ExchangeContext, settings: Http1Settings): Server {
  const { scheme, timeouts, connections, dataRate } = settings;
  const server = createServer({
    headersTimeout: Math.min(timeouts.headersMs, timeouts.requestMs),
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    connectionsCheckingInterval: Math.min(MAX_CHECKING_INTERVAL_MS, timeouts.headersMs),
    requireHostHeader: false,
    insecureHTTPParser: false,
    maxHeaderSize: 16_384,
  });
  server.maxHeadersCount = 0;
  server.timeout = timeouts.idleMs;
  const latest = new WeakMap<Socket, ServerResponse>();
  const rates = dataRate === false ? undefined : new DataRateWatch(dataRate, endSlowClient);

  /**
   * Acts once the requests before it on its connection are answered, and reads no further meanwhile.
   * node:http would begin all pipelined requests at once: each opens its file, for ever when the client leaves
   * (responses in waiting hear of no close), and while answers wait a TLS connection ends in HPE_PAUSED.
   */
  function inTurn(socket: Socket, act: () => void, response?: ServerResponse): void {
    const earlier = latest.get(socket);
    if (response !== undefined) latest.set(socket, response);
    if (earlier === undefined || earlier.closed) {
      act();
      return;
    }
    socket.pause();
    earlier.once("close", () => {
      if (latest.get(socket) === response) socket.resume();
      if (socket.writable) act();
    });
  }

  function answer(
    request: IncomingMessage,
    response: ServerResponse,
    expectation: "none" | "continue" | "unknown",
  ): void {
    // Frameworks change `request.url` and `request.method` on the way to a mounted application.
    const { socket, method = "-", url: target = "-" } = request;
    const startedAt = performance.now();
    const field = (name: string): string | undefined => request.headers[name]?.toString();
    const address = context.addressOf(socket.remoteAddress, field);
    const admission = admitHttp1(request, scheme, address);
    rates?.watch(request, response);
    const end = connections.begin(socket);
    let bytes: number | undefined;
    response.once("close", () => {
      end();
      context.accessLog.write({
        address,
        method,
        target,
        protocol: `HTTP/${request.httpVersion}`,
        host: request.headers.host ?? "-",
        status: response.statusCode,
        bytes: bytes ?? announcedBytes(response),
        durationMs: performance.now() - startedAt,
        referer: request.headers.referer,
        userAgent: request.headers["user-agent"],
        isAborted: !response.writableFinished,
      });
    });
    runExchange(context, {
      scheme,
      admission: expectation === "unknown" ? { kind: "refused", status: 417 } : admission,
      writeAnswer(decided) {
        bytes = bodyLength(decided.body);
        const isLast = connections.isClosing || expectation !== "none" || mustClose(admission);
        writeHttp1(response, decided, isLast);
      },
      handOver(head, fields) {
        if (connections.isClosing) response.setHeader("connection", "close");
        if (expectation === "continue") response.writeContinue();
        request.url = head.target;
        const abort = (): void => void response.destroy();
        context.callApplication?.({ request, response, fields, abort });
      },
    });
  }

  function endSlowClient(socket: Socket, what: "content" | "response"): void {
    if (what === "response") socket.destroy();
    else server.emit("clientError", new SlowClient(), socket);
  }

  function answerRaw(socket: Socket, status: number): void {
    const refused: Answer = context.stages.refuse(status, scheme);
    writeRawAnswer(socket, refused);
    context.accessLog.write({
      address: context.addressOf(socket.remoteAddress, () => undefined),
      method: "-",
      target: "-",
      protocol: "HTTP/1.1",
      host: "-",
      status,
      bytes: bodyLength(refused.body),
      durationMs: 0,
      referer: undefined,
      userAgent: undefined,
      isAborted: false,
    });
  }

  server.on("connection", (socket: Socket) => {
    connections.addHttp1(socket);
  });
  for (const [event, expectation] of [
    ["request", "none"],
    ["checkContinue", "continue"],
    ["checkExpectation", "unknown"],
  ] as const) {
    server.on(event, (request: IncomingMessage, response: ServerResponse) => {
      inTurn(
        request.socket,
        () => {
          answer(request, response, expectation);
        },
        response,
      );
    });
  }
  server.on("connect", (_request: IncomingMessage, socket: Socket) => {
    // node:http took its own listener away; without one, a connection that is reset ends the process.
    socket.on("error", () => undefined);
    inTurn(socket, () => {
      answerRaw(socket, 501);
    });
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    const answerError = (): void => {
      answerRaw(socket, clientErrorStatus(error));
    };
    const response = latest.get(socket);
    if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
    else if (response === undefined || response.req.complete) inTurn(socket, answerError);
    else if (response.headersSent || response.socket === null) socket.destroy();
    else answerError();
  });
  // The clock behind headersTimeout and requestTimeout starts on "listening" only.
  server.emit("listening");
  return server;
}

/** What node:http says of a request that did not arrive in time. */
class SlowClient extends Error {
  readonly code = "ERR_HTTP_REQUEST_TIMEOUT";
}

/** After a refused head or with much unread content, the rest of the connection is not worth reading. */
function mustClose(admission: Admission): boolean {
  return admission.kind === "refused" || admission.head.hasLargeContent;
}
