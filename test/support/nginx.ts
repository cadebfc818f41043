import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** nginx on a loopback port, in the foreground and in a folder of its own. */
export interface Nginx {
  readonly port: number;
  /** The access log so far. */
  log(): string;
  /** Resolves once the process has ended and its log is complete. */
  stop(): Promise<void>;
}

/** Starts nginx with the given lines in its `http` block, and `locations` in its one server. */
export async function startNginx(
  program: string,
  folder: string,
  http: string,
  locations: string,
): Promise<Nginx> {
  const port = await freePort();
  const log = join(folder, "access.log");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join("\n");
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; pid ${join(folder, "nginx.pid")}; error_log stderr emerg;
events { worker_connections 256; }
http {
${temporary}
${http}
access_log ${log} trace;
server { listen 127.0.0.1:${port}; ${locations} }
}
`,
  );
  const child = spawn(program, ["-p", folder, "-c", join(folder, "nginx.conf")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  await acceptsConnections(child, port);
  return {
    port,
    log: () => readFileSync(log, "utf8"),
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGQUIT");
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function acceptsConnections(child: ChildProcess, port: number): Promise<void> {
  let complaint = "";
  child.stderr?.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${complaint}`);
    const socket = connect(port, "127.0.0.1");
    const isOpen = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nginx did not listen: ${complaint}`);
}
