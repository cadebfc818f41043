import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
} from "node:http2";
import { request as requestHttps } from "node:https";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import type { RunningServer } from "./running-server.ts";

/** A response as either protocol gave it. */
export interface Received {
  readonly status: number;
  readonly headers: Readonly<IncomingHttpHeaders>;
  readonly body: Buffer;
  readonly text: string;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

export type Protocol = "HTTP/1.1" | "HTTP/2";

/** Both protocols, for tests whose outcome is the same over each. */
export const PROTOCOLS: readonly Protocol[] = ["HTTP/1.1", "HTTP/2"];

/** Sends one request over a connection of its own and resolves with the whole response. */
export function fetchFrom(
  server: RunningServer,
  protocol: Protocol,
  path: string,
  sent: Sent = {},
): Promise<Received> {
  return protocol === "HTTP/2" ? overHttp2(server, path, sent) : overHttp1(server, path, sent);
}

function overHttp1(server: RunningServer, path: string, sent: Sent): Promise<Received> {
  const { method = "GET", headers = {}, body } = sent;
  return new Promise((resolve, reject) => {
    const request = requestHttps(
      { host: "127.0.0.1", port: server.port, ca: server.ca, path, method, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          resolve(received(response.statusCode, response.headers, chunks));
        });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

async function overHttp2(server: RunningServer, path: string, sent: Sent): Promise<Received> {
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: server.ca });
  try {
    return await requestOn(session, path, sent);
  } finally {
    session.close();
  }
}

/** Sends one request over an HTTP/2 session and resolves with the whole response. */
export function requestOn(
  session: ClientHttp2Session,
  path: string,
  { method = "GET", headers = {}, body }: Sent = {},
): Promise<Received> {
  return new Promise((resolve, reject) => {
    session.on("error", reject);
    const stream = session.request(
      { ":path": path, ":method": method, ...headers },
      { endStream: body === undefined },
    );
    const chunks: Buffer[] = [];
    let responseHeaders: IncomingHttpHeaders & { ":status"?: number | undefined } = {};
    stream.on("response", (fields) => (responseHeaders = fields));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("end", () => {
      resolve(received(responseHeaders[":status"], responseHeaders, chunks));
    });
    if (body !== undefined) stream.end(body);
  });
}

/** Sends bytes as they are over TLS, or plain TCP, and resolves with all that comes back until the end. */
export function sendRaw(
  server: RunningServer,
  bytes: string | Buffer,
  transport: "tls" | "tcp" = "tls",
): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port, httpPort, ca } = server;
    const socket =
      transport === "tls"
        ? connectTls({ host: "127.0.0.1", port, ca, ALPNProtocols: ["http/1.1"] })
        : connectTcp({ host: "127.0.0.1", port: httpPort });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
    socket.on("close", () => {
      resolve(Buffer.concat(chunks).toString("latin1"));
    });
    socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  });
}

function received(
  status: number | undefined,
  headers: IncomingHttpHeaders,
  chunks: readonly Buffer[],
): Received {
  const body = Buffer.concat(chunks);
  return { status: status ?? 0, headers, body, text: body.toString() };
}
