import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { reportCollector, type ReportCollectorOptions } from "@hauberk/headers/reports";
import type { ReportCollector, ReportEntry } from "@hauberk/headers/reports";

export interface CollectorServer {
  /** `http://127.0.0.1:<port>`: also the origin whose pages may report. */
  readonly origin: string;
  readonly port: number;
  readonly collector: ReportCollector;
  /** Sends a body, as JSON unless it is text or bytes, and resolves with the status. */
  send(body: unknown, contentType?: string): Promise<number>;
  entries(): Promise<readonly ReportEntry[]>;
  close(): void;
}

/** Serves a collector on a free loopback port; what it passes on is answered with 404. */
export async function serveCollector(
  options: ReportCollectorOptions = {},
): Promise<CollectorServer> {
  const collector = reportCollector(options);
  const server = createServer((request, response) => {
    collector(request, response, (error) => {
      response.statusCode = error === undefined ? 404 : 500;
      response.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    origin,
    port,
    collector,
    async send(body, contentType = "application/reports+json") {
      const isRaw = typeof body === "string" || body instanceof Uint8Array;
      const response = await fetch(`${origin}/.well-known/reports/csp`, {
        method: "POST",
        headers: { "content-type": contentType },
        body: isRaw ? (body as string) : JSON.stringify(body),
      });
      return response.status;
    },
    entries: async () => collector.store.entries(),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Returns a report as Chromium sends it to report-to. */
export function cspReport(origin: string, body: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    age: 5,
    type: "csp-violation",
    url: `${origin}/page`,
    user_agent: "Mozilla/5.0",
    body: {
      blockedURL: "https://cdn.example/logo.png",
      disposition: "enforce",
      documentURL: `${origin}/page`,
      effectiveDirective: "img-src",
      originalPolicy: "default-src 'self'",
      referrer: "",
      sample: "",
      statusCode: 200,
      ...body,
    },
  };
}
