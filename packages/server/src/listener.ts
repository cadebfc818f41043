import { lookup } from "node:dns/promises";
import { createServer, isIP, type Server, type Socket } from "node:net";
import { ServerError } from "./errors.ts";

/** TCP sockets that accept on every address of one host. */
export interface Listener {
  readonly port: number;
  /** Stops accepting; connections live on. */
  close(): void;
}

const UNAVAILABLE = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT"]);
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use; stop the other program or choose another port",
  EACCES:
    "no permission; ports below 1024 need the capability CAP_NET_BIND_SERVICE or a port of 1024 and above",
  ENOTFOUND: "the host has no address",
};

/**
 * Listens on `port` at every address of `host` (`localhost` is two: 127.0.0.1 and ::1).
 * With port 0 the system chooses one port for all of them.
 *
 * @throws {ServerError} ERR_SERVER_LISTEN_FAILED when an address is taken, not permitted or not of this machine.
 */
export async function listen(
  host: string,
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<Listener> {
  const servers: Server[] = [];
  let boundPort = port;
  try {
    for (const address of await addressesOf(host)) {
      const server = createServer({ noDelay: true }, onConnection);
      if (!(await bind(server, address, boundPort))) continue;
      servers.push(server);
      const bound = server.address();
      if (typeof bound === "object" && bound !== null) boundPort = bound.port;
      if (host === "::") break;
    }
    if (servers.length === 0) throw Object.assign(new Error("No address"), { code: "ENOTFOUND" });
  } catch (error) {
    for (const server of servers) server.close();
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
    throw new ServerError(
      "ERR_SERVER_LISTEN_FAILED",
      `Cannot listen on ${host} port ${port}: ${reason}`,
      { cause: error },
    );
  }
  return {
    port: boundPort,
    close() {
      for (const server of servers) server.close();
    },
  };
}

async function addressesOf(host: string): Promise<string[]> {
  // A socket bound to :: takes IPv4 as well; 0.0.0.0 is for machines without IPv6.
  if (host === "::") return ["::", "0.0.0.0"];
  if (isIP(host) !== 0) return [host];
  const found = await lookup(host, { all: true });
  const addresses = new Set(found.map(({ address }) => address));
  // Some resolvers know only one of the two loopback addresses, while browsers try both.
  if (host === "localhost") addresses.add("127.0.0.1").add("::1");
  return [...addresses];
}

/** Returns false when this machine does not have the address; another one of the host may do. */
async function bind(server: Server, host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (UNAVAILABLE.has(error.code ?? "")) resolve(false);
      else reject(error);
    });
    server.listen({ host, port, backlog: 511 }, () => {
      server.removeAllListeners("error");
      server.on("error", () => undefined);
      resolve(true);
    });
  });
}
