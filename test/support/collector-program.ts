import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { reportCollector } from "@hauberk/headers/reports";

/** A collector for attacks from outside: it tells its port, and at each message what memory it holds. */
const collector = reportCollector({
  limiter: { consume: () => ({ kind: "admitted" }) },
  clock: hurried(),
});
const server = createServer((request, response) => {
  collector(request, response, () => response.writeHead(404).end());
});
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on("message", () => {
  globalThis.gc?.();
  const { heapUsed, rss, arrayBuffers } = process.memoryUsage();
  process.send?.({ heapUsed, rss, arrayBuffers, totals: collector.totals() });
});

/** Every body has a minute of its own, so that no limit spares the collector any of them. */
function hurried(): () => number {
  let now = Date.UTC(2026, 10, 22);
  return () => (now += 60_000);
}
