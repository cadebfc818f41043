import { once } from "node:events";
import { createServer, request as requestHttp } from "node:http";
import { connect, createServer as createHttp2Server } from "node:http2";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import express from "express";
import express4 from "express-4";

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** Middleware as all hosts below can call it. */
export type Middleware = (
  request: Request,
  response: Response,
  next: (error?: unknown) => void,
) => void;

/** What middleware runs in. */
export type Host = "node:http" | "node:http2" | "Express 4" | "Express 5";

export const HOSTS: readonly Host[] = ["node:http", "node:http2", "Express 4", "Express 5"];

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface MiddlewareServer {
  readonly port: number;
  ask(sent?: { method?: string; headers?: Record<string, string | string[]> }): Promise<Reply>;
  close(): void;
}

/**
 * Serves a chain of middleware on a free loopback port. A request that reaches its end is answered
 * with 200 and "reached"; an error with 500 and its message.
 */
export async function serveMiddleware(
  host: Host,
  ...chain: readonly Middleware[]
): Promise<MiddlewareServer> {
  const server = serverOf(host, chain);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const ask = host === "node:http2" ? askHttp2 : askHttp1;
  return {
    port,
    ask: ({ method = "GET", headers = {} } = {}) => ask(port, method, headers),
    close: () => server.close(),
  };
}

function serverOf(host: Host, chain: readonly Middleware[]): Server {
  if (host === "Express 4") return createServer(applicationOf(express4(), chain));
  if (host === "Express 5") return createServer(applicationOf(express(), chain));
  const listener = (request: Request, response: Response): void => {
    run(chain, request, response);
  };
  return host === "node:http2"
    ? createHttp2Server(listener)
    : createServer({ rejectNonStandardBodyWrites: true }, listener);
}

function applicationOf(app: express.Express, chain: readonly Middleware[]): express.Express {
  for (const middleware of chain) app.use(middleware);
  app.use((_request, response) => response.end("reached"));
  app.use(sendError);
  return app;
}

/** Express knows an error handler by its four parameters. */
function sendError(
  error: Error,
  _request: express.Request,
  response: express.Response,
  _next: express.NextFunction,
): void {
  response.statusCode = 500;
  response.end(error.message);
}

function run([first, ...rest]: readonly Middleware[], request: Request, response: Response): void {
  if (first === undefined) {
    finish(response, 200, "reached");
    return;
  }
  first(request, response, (error) => {
    if (error === undefined) run(rest, request, response);
    else finish(response, 500, (error as Error).message);
  });
}

function finish(response: Response, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader("content-length", Buffer.byteLength(text));
  (response as ServerResponse).end(text);
}

async function askHttp1(
  port: number,
  method: string,
  headers: Record<string, string | string[]>,
): Promise<Reply> {
  const request = requestHttp({ host: "127.0.0.1", port, method, headers, agent: false }).end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const body = await textOf(response);
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

async function askHttp2(
  port: number,
  method: string,
  headers: Record<string, string | string[]>,
): Promise<Reply> {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    const stream = session.request({ ":method": method, ...headers });
    const [received] = (await once(stream, "response")) as [IncomingHttpHeaders];
    const body = await textOf(stream);
    return {
      status: Number(received[":status" as keyof IncomingHttpHeaders]),
      headers: received,
      body,
    };
  } finally {
    session.close();
  }
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
