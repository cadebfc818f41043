import {
  type Host,
  type Middleware,
  type MiddlewareServer,
  type Reply,
  serveMiddleware,
} from "./middleware-server.ts";

/** A request as `MiddlewareServer.ask` takes it. */
export type Sent = Parameters<MiddlewareServer["ask"]>[0];

const open: MiddlewareServer[] = [];

/** Serves a chain until `closeServers` is called. */
export async function serve(
  host: Host,
  ...chain: readonly Middleware[]
): Promise<MiddlewareServer> {
  const server = await serveMiddleware(host, ...chain);
  open.push(server);
  return server;
}

/** Closes what `serve` has opened: to be called after each test. */
export function closeServers(): void {
  for (const server of open.splice(0)) server.close();
}

/** Sends requests one after the other and returns the replies. */
export async function repliesTo(
  server: MiddlewareServer,
  requests: readonly Sent[],
): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (const request of requests) replies.push(await server.ask(request));
  return replies;
}

/** Sends requests one after the other and returns their statuses. */
export async function statusesOf(
  server: MiddlewareServer,
  requests: readonly Sent[],
): Promise<number[]> {
  return (await repliesTo(server, requests)).map(({ status }) => status);
}

/** Answers with the status that a request asks for in x-status. */
export const answerAsAsked: Middleware = (request, response) => {
  response.statusCode = Number(request.headers["x-status"] ?? 200);
  response.end();
};

/** Returns requests that ask for statuses. */
export function asking(...statuses: readonly number[]): { headers: Record<string, string> }[] {
  return statuses.map((status) => ({ headers: { "x-status": String(status) } }));
}

/** Returns requests that send a key in x-api-key. */
export function keyed(...keys: readonly string[]): { headers: Record<string, string> }[] {
  return keys.map((key) => ({ headers: { "x-api-key": key } }));
}

/** Returns requests that a proxy would forward for clients. */
export function forwardedFor(
  ...addresses: readonly string[]
): { headers: Record<string, string> }[] {
  return addresses.map((address) => ({ headers: { "x-forwarded-for": address } }));
}
