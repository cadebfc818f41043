import { createServer, type HauberkServer, type ServerConfig } from "@hauberk/server";
import { testAuthority } from "./test-authority.ts";

/** A server of @hauberk/server on free loopback ports, its certificate from a test authority. */
export interface RunningServer {
  readonly server: HauberkServer;
  /** The CA of the server's certificate, PEM. */
  readonly ca: string;
  readonly port: number;
  readonly httpPort: number;
  close(): Promise<void>;
}

const authority = testAuthority();
const certificate = authority.issue({ names: ["localhost", "127.0.0.1", "app.test"] });

/** Starts a server on free loopback ports; the caller closes it. */
export async function runServer(config: Partial<ServerConfig>): Promise<RunningServer> {
  const server = createServer({
    certificate,
    host: "127.0.0.1",
    port: 0,
    httpPort: 0,
    timeouts: { shutdownMs: 200 },
    ...config,
  });
  const { https, http } = await server.listen();
  return {
    server,
    ca: authority.certificate,
    port: Number(new URL(https).port),
    httpPort: http === undefined ? 0 : Number(new URL(http).port),
    close: () => server.close(),
  };
}
