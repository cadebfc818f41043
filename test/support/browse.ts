import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { HEADLESS_FLAGS } from "./chromium.ts";

/** A response by path; the page is at `/`. */
export type Site = Readonly<
  Record<string, { readonly fields: readonly string[]; readonly body: string | Buffer }>
>;

export interface Visit {
  /** The document after its scripts ran. */
  readonly document: string;
  /** What the page and the browser's policies wrote to the console. */
  readonly console: readonly string[];
}

const FLAGS = [
  ...HEADLESS_FLAGS,
  "--enable-logging=stderr",
  "--virtual-time-budget=3000",
  "--dump-dom",
];

/** Serves `site` over plain HTTP on a loopback port and loads its page in a headless Chromium. */
export async function browse(chromium: string, profile: string, site: Site): Promise<Visit> {
  const server = createServer((request, response) => {
    const answer = site[request.url ?? ""];
    response.writeHead(answer === undefined ? 404 : 200, answer?.fields.slice()).end(answer?.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const browser = spawn(
      chromium,
      [...FLAGS, `--user-data-dir=${join(profile, "chromium")}`, `http://127.0.0.1:${port}/`],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const [document, log] = await Promise.all([text(browser.stdout), text(browser.stderr)]);
    return { document, console: log.split("\n").filter((line) => line.includes(":CONSOLE")) };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
