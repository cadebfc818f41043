import {
  constants,
  createServer,
  type Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { IncomingMessage, ServerResponse } from "node:http";
import { applyHttp2Limits, http2ServerOptions } from "@hauberk/tls";
import { announcedBytes } from "./access-log.ts";
import { bodyLength } from "./answer.ts";
import type { ServerSettings } from "./config.ts";
import type { Connections } from "./connections.ts";
import { type ExchangeContext, runExchange } from "./exchange.ts";
import { pinHttp2Members } from "./http2-application.ts";
import { admitHttp2 } from "./request-gate.ts";
import { writeHttp2 } from "./writers/http2.ts";

export interface Http2Settings {
  readonly timeouts: ServerSettings["timeouts"];
  readonly connections: Connections;
}

/** Returns a hardened node:http2 server that never listens: it is given TLS sockets that chose `h2`. */
export function createHttp2Server(context: ExchangeContext, settings: Http2Settings): Http2Server {
  const { timeouts, connections } = settings;
  const server = createServer(http2ServerOptions());
  applyHttp2Limits(server, { idleTimeoutMs: timeouts.idleMs });
  const addresses = new WeakMap<Http2Session, string | undefined>();

  function answer(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
  ): void {
    // Frameworks change `request.url` and `request.method`, which are these two fields.
    const { ":method": method = "-", ":path": target = "-" } = headers;
    const startedAt = performance.now();
    const field = (name: string): string | undefined => headers[name]?.toString();
    const address = context.addressOf(stream.session && addresses.get(stream.session), field);
    const admission = admitHttp2(headers, address, stream.endAfterHeaders);
    let status = 0;
    let bytes: number | undefined;
    let application: Http2ServerResponse | undefined;
    // A stream that fails is a client that left; the session's own errors are the server's to report.
    stream.on("error", () => undefined);
    stream.once("close", () => {
      context.accessLog.write({
        address,
        method,
        target,
        protocol: "HTTP/2.0",
        host: headers[":authority"] ?? "-",
        status: application?.statusCode ?? status,
        bytes: bytes ?? announcedBytes(application),
        durationMs: performance.now() - startedAt,
        referer: headers.referer,
        userAgent: headers["user-agent"],
        isAborted: stream.aborted,
      });
    });
    runExchange(context, {
      scheme: "https",
      admission,
      writeAnswer(decided) {
        ({ status } = decided);
        bytes = bodyLength(decided.body);
        writeHttp2(stream, decided);
      },
      handOver(_head, fields) {
        if (stream.destroyed) return;
        const request = new Http2ServerRequest(stream, headers, {}, rawHeaders);
        const response = new Http2ServerResponse(stream);
        application = response;
        if (headers.expect === "100-continue") response.writeContinue();
        context.callApplication?.({
          ...asHttp1(request, response),
          fields,
          abort() {
            stream.close(constants.NGHTTP2_INTERNAL_ERROR);
          },
        });
      },
    });
  }

  server.on("session", (session) => {
    addresses.set(session, session.socket.remoteAddress);
    connections.addSession(session);
  });
  server.on(
    "stream",
    (
      stream: ServerHttp2Stream,
      headers: IncomingHttpHeaders,
      _flags: number,
      rawHeaders: readonly string[],
    ) => {
      answer(stream, headers, rawHeaders);
    },
  );
  return server;
}

/** The compatibility API of node:http2 stands in for the types of node:http. */
function asHttp1(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
): { request: IncomingMessage; response: ServerResponse } {
  pinHttp2Members(request, response);
  const pair: { request: unknown; response: unknown } = { request, response };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what pinning is for
  return pair as ReturnType<typeof asHttp1>;
}
