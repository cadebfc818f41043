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
  /** The access log so far. */
  readonly log: string;
  /** Warnings, reported failures and uncaught errors so far. */
  readonly complaints: string;
  /** Undefined while the process lives. */
  readonly exitCode: number | null | undefined;
  /** Closes the server and resolves with the exit code of its process. */
  close(): Promise<number | null>;
}

/**
 * Starts a server with `config` in a process of its own; the caller closes it.
 * Without a root it has an application, which answers `/mounted/...` from a router.
 */
export async function forkServer(config: Partial<ServerConfig>): Promise<ForkedServer> {
  const child = fork(PROGRAM, [JSON.stringify(config)], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let log = "";
  let complaints = "";
  child.stdout?.on("data", (chunk: Buffer) => (log += chunk.toString()));
  let exitCode: number | null | undefined;
  child.stderr?.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  const read = Promise.all([child.stdout!, child.stderr!].map((pipe) => once(pipe, "close")));
  const ended = once(child, "exit").then(async ([code]) => {
    exitCode = code as number | null;
    await read;
    return exitCode;
  });
  const started = await Promise.race([once(child, "message"), ended]);
  if (!Array.isArray(started)) throw new Error(`Cannot start the server: ${complaints}`);
  return {
    ...(started[0] as ServerEndpoint),
    get log() {
      return log;
    },
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
