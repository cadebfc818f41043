import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServerConfig } from "@hauberk/server";

const PROGRAM = fileURLToPath(new URL("./server-program.js", import.meta.url));

/** Where a server listens on 127.0.0.1, and the CA of its certificate. */
export interface ServerEndpoint {
  readonly port: number;
  readonly httpPort: number;
  readonly ca: string;
}

/** A server of @hauberk/server in a process of its own. */
export interface ForkedServer extends ServerEndpoint {
  /** Warnings, reported failures and uncaught errors so far. */
  readonly complaints: string;
  /** Undefined while the process lives. */
  readonly exitCode: number | null | undefined;
  /** Closes the server and resolves with the exit code of its process. */
  close(): Promise<number | null>;
}

/** Starts a server with `config` in a process of its own; the caller closes it. */
export async function forkServer(config: Partial<ServerConfig>): Promise<ForkedServer> {
  const child = fork(PROGRAM, [JSON.stringify(config)], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let complaints = "";
  let exitCode: number | null | undefined;
  child.stderr?.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  const ended = once(child, "exit").then(([code]) => (exitCode = code as number | null));
  const started = await Promise.race([once(child, "message"), ended]);
  if (!Array.isArray(started)) throw new Error(`Cannot start the server: ${complaints}`);
  return {
    ...(started[0] as ServerEndpoint),
    get complaints() {
      return complaints;
    },
    get exitCode() {
      return exitCode;
    },
    async close() {
      if (child.connected) child.disconnect();
      return ended;
    },
  };
}
