import { once } from "node:events";
import {
  createServer,
  request as requestHttp,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from "node:http";
import {
  connect,
  createSecureServer,
  createServer as createHttp2Server,
  type OutgoingHttpHeaders,
} from "node:http2";
import { createServer as createHttpsServer, request as requestHttps } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { text } from "node:stream/consumers";
import { testAuthority } from "./test-authority.ts";

/** What a listener is served over. */
export type Transport = "http" | "https" | "h2c" | "h2";

export interface ListenerReply {
  readonly status: number;
  readonly headers: Readonly<IncomingHttpHeaders>;
  readonly body: string;
}

/** A listener as node:http, node:http2 and Express have it. */
// oxlint-disable-next-line typescript/no-explicit-any -- one table of cases serves listeners of all three
export type Listener = (request: any, response: any) => void;

const authority = testAuthority();
const pair = authority.issue({ names: ["localhost", "127.0.0.1"] });

/**
 * Serves `listener` on a free loopback port, sends it one request per entry of `requests`, one after
 * the other and each over its own connection, and resolves with the replies.
 */
export async function askListener(
  transport: Transport,
  listener: Listener,
  requests: readonly Readonly<Record<string, string>>[] = [{}],
): Promise<ListenerReply[]> {
  const server: Server = SERVERS[transport](listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const ask = transport === "http" || transport === "https" ? askHttp1 : askHttp2;
  const replies: ListenerReply[] = [];
  try {
    for (const headers of requests) replies.push(await ask(transport, port, headers));
  } finally {
    server.close();
  }
  return replies;
}

const SERVERS = {
  http: (listener: Listener) => createServer(listener),
  https: (listener: Listener) => createHttpsServer(pair, listener),
  h2c: (listener: Listener) => createHttp2Server(listener),
  h2: (listener: Listener) => createSecureServer(pair, listener),
} satisfies Record<Transport, (listener: Listener) => Server>;

async function askHttp1(
  transport: Transport,
  port: number,
  headers: Readonly<Record<string, string>>,
): Promise<ListenerReply> {
  const options = { host: "127.0.0.1", port, headers, agent: false } as const;
  const request =
    transport === "https"
      ? requestHttps({ ...options, ca: authority.certificate })
      : requestHttp(options);
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: await text(response),
  };
}

async function askHttp2(
  transport: Transport,
  port: number,
  headers: OutgoingHttpHeaders,
): Promise<ListenerReply> {
  const scheme = transport === "h2" ? "https" : "http";
  const session = connect(`${scheme}://127.0.0.1:${port}`, { ca: authority.certificate });
  try {
    const stream = session.request(headers);
    const [received] = (await once(stream, "response")) as [
      IncomingHttpHeaders & { ":status": number },
    ];
    return { status: received[":status"], headers: received, body: await text(stream) };
  } finally {
    session.close();
  }
}
