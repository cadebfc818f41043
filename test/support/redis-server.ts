import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Fields of the configuration file, as `name value`. */
export type RedisSettings = Readonly<Record<string, string>>;

/** A redis-server on a loopback port, without persistence. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #settings: RedisSettings;
  readonly #sentinelLines: readonly string[] | undefined;
  #child: ChildProcess | undefined;

  /**
   * `folder` is for its working files; the server does not run yet. With `sentinelLines`, which are
   * lines of a configuration file, it is a sentinel.
   */
  constructor(
    port: number,
    folder: string,
    settings: RedisSettings = {},
    sentinelLines?: readonly string[],
  ) {
    this.port = port;
    this.#sentinelLines = sentinelLines;
    this.#folder = join(folder, `redis-${port}`);
    this.#settings = settings;
    mkdirSync(this.#folder, { recursive: true });
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Resolves once the server accepts connections. */
  async start(): Promise<this> {
    const args = this.#arguments();
    const child = spawn("redis-server", args, {
      cwd: this.#folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child = child;
    let output = "";
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        output += chunk.toString();
        if (/Ready to accept connections|Sentinel ID is/.test(output)) resolve();
      });
      child.once("error", reject);
      child.once("exit", () => {
        reject(new Error(`redis-server ended:\n${output}`));
      });
    });
    return this;
  }

  /** Runs one command with redis-cli and resolves with what it prints. */
  async command(...words: string[]): Promise<string> {
    const { stdout } = await run("redis-cli", ["-p", String(this.port), ...words]);
    return stdout.trim();
  }

  /** Resolves once `command` prints a match; asks again every 20 ms, for 10 seconds. */
  async waitFor(pattern: RegExp, ...words: string[]): Promise<void> {
    for (let attempt = 0; attempt < 500; attempt++) {
      if (pattern.test(await this.command(...words))) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`redis-cli ${words.join(" ")} never printed ${pattern}`);
  }

  /** The server answers nothing, while its kernel still accepts. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Ends the server at once, as a crash would; its data is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  #arguments(): string[] {
    const listener = { port: String(this.port), bind: "127.0.0.1", dir: this.#folder };
    if (this.#sentinelLines !== undefined) {
      const file = join(this.#folder, "sentinel.conf");
      const lines = Object.entries(listener).map(([name, value]) => `${name} ${value}`);
      writeFileSync(file, [...lines, ...this.#sentinelLines, ""].join("\n"));
      return [file, "--sentinel"];
    }
    const settings = {
      ...listener,
      save: "",
      appendonly: "no",
      "enable-debug-command": "local",
      "repl-diskless-sync-delay": "0",
      ...this.#settings,
    };
    return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  }
}

/** Returns `count` ports of 127.0.0.1 that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => {
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("No port");
    return address.port;
  });
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

/** Starts a redis-server on a free port. */
export async function startRedis(
  folder: string,
  settings: RedisSettings = {},
): Promise<RedisServer> {
  const [port] = (await freePorts(1)) as [number];
  return new RedisServer(port, folder, settings).start();
}

/** Starts a cluster of three masters, each with a third of the slots. */
export async function startRedisCluster(folder: string): Promise<RedisServer[]> {
  const ports = await freePorts(3);
  const nodes = await Promise.all(
    ports.map(async (port) => {
      const server = new RedisServer(port, folder, {
        "cluster-enabled": "yes",
        "cluster-node-timeout": "1000",
        "cluster-port": String((await freePorts(1))[0]),
        "cluster-require-full-coverage": "no",
      });
      return server.start();
    }),
  );
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  await run("redis-cli", ["--cluster", "create", ...addresses, "--cluster-yes"]);
  await Promise.all(nodes.map((node) => node.waitFor(/cluster_state:ok/, "cluster", "info")));
  return nodes;
}
