import { once } from "node:events";
import { createServer, request as requestHttp, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { memoryReportStore, reportCollector, type ReportStore } from "@hauberk/headers/reports";
import { expect } from "chai";
import express from "express";
import { afterEach, describe, it } from "mocha";
import { cspReport, serveCollector, type CollectorServer } from "../../support/collector-server.ts";
import { HOSTS, serveMiddleware } from "../../support/middleware-server.ts";
import { NOON } from "../../support/report-entries.ts";

const open: { close(): void }[] = [];

async function collect(
  options: Parameters<typeof serveCollector>[0] = {},
): Promise<CollectorServer> {
  const server = await serveCollector(options);
  open.push(server);
  return server;
}

describe("reportCollector()", () => {
  afterEach(() => {
    for (const server of open.splice(0)) server.close();
  });

  it("takes a report of the Reporting API", async () => {
    const server = await collect({ clock: () => NOON });
    expect(await server.send([cspReport(server.origin)])).to.equal(204);
    const [entry] = await server.entries();
    expect({ ...entry, reporters: entry?.reporters.length }).to.deep.equal({
      kind: "csp",
      page: `${server.origin}/page`,
      directive: "img-src",
      blocked: "https://cdn.example/logo.png",
      disposition: "enforce",
      sample: "",
      source: "",
      count: 1,
      firstAt: NOON,
      lastAt: NOON,
      days: { "2026-11-22": 1 },
      reporters: 1,
    });
  });

  it("takes a csp-report, pretty-printed and with nulls as Firefox sends it", async () => {
    const server = await collect();
    const body = {
      "csp-report": {
        "blocked-uri": "inline",
        "column-number": 7,
        disposition: "report",
        "document-uri": `${server.origin}/page?secret=1#top`,
        "effective-directive": "script-src-elem",
        "line-number": 12,
        "original-policy": "script-src 'self'",
        referrer: null,
        "script-sample": null,
        "source-file": `${server.origin}/app.js?token=2`,
        "violated-directive": "script-src-elem",
      },
    };
    const status = await server.send(JSON.stringify(body, null, 2), "application/csp-report");
    expect(status).to.equal(204);
    const [entry] = await server.entries();
    expect(entry).to.include({
      page: `${server.origin}/page`,
      directive: "script-src-elem",
      blocked: "inline",
      disposition: "report",
      source: `${server.origin}/app.js:12:7`,
    });
  });

  it("takes the shape of old Safari: one directive with its value, as application/json", async () => {
    const server = await collect();
    const body = {
      "csp-report": {
        "document-uri": `${server.origin}/`,
        "violated-directive": "img-src 'self'",
        "blocked-uri": "https://cdn.example",
      },
    };
    expect(await server.send(body, "application/json; charset=utf-8")).to.equal(204);
    expect((await server.entries())[0]).to.include({ directive: "img-src" });
  });

  for (const [type, body, expected] of [
    [
      "integrity-violation",
      { destination: "script", blockedURL: "https://cdn.example/a.js", reportOnly: true },
      { kind: "integrity", directive: "script", disposition: "report" },
    ],
    [
      "coep",
      {
        type: "corp",
        destination: "image",
        blockedURL: "https://cdn.example/a.png",
        disposition: "reporting",
      },
      { kind: "coep", directive: "image", disposition: "report" },
    ],
    [
      "coop",
      { type: "navigation-to-response", disposition: "enforce" },
      { kind: "coop", directive: "navigation-to-response" },
    ],
    [
      "permissions-policy-violation",
      { featureId: "camera", disposition: "enforce" },
      { kind: "permissions", directive: "camera" },
    ],
    [
      "document-policy-violation",
      { policyId: "document-write", disposition: "enforce" },
      { kind: "document", directive: "document-write" },
    ],
  ] as const) {
    it(`takes reports of type ${type}`, async () => {
      const server = await collect();
      const report = { type, url: `${server.origin}/`, body };
      expect(await server.send([report])).to.equal(204);
      expect((await server.entries())[0]).to.include(expected);
    });
  }

  it("folds reports of the same thing into one, and counts its clients", async () => {
    let client = 0;
    const server = await collect({ clientOf: () => `client-${(client += 1) % 2}` });
    const same = [cspReport(server.origin), cspReport(server.origin)];
    for (let sent = 0; sent < 3; sent++) await server.send(same);
    await server.send([cspReport(server.origin, { effectiveDirective: "font-src" })]);
    const entries = await server.entries();
    const counts = entries.map(({ directive, count, reporters }) => [
      directive,
      count,
      reporters.length,
    ]);
    expect(counts).to.have.deep.members([
      ["img-src", 6, 2],
      ["font-src", 1, 1],
    ]);
  });

  it("keeps no query, fragment, user name, password, cookie or client address", async () => {
    const server = await collect();
    const secret = "s3cret";
    await fetch(`${server.origin}/.well-known/reports/csp`, {
      method: "POST",
      headers: { "content-type": "application/reports+json", cookie: `session=${secret}` },
      body: JSON.stringify([
        cspReport(server.origin, {
          documentURL: `${server.origin}/page?token=${secret}#${secret}`,
          blockedURL: `https://user:${secret}@cdn.example/a.png?sig=${secret}`,
          sourceFile: `${server.origin}/app.js?v=${secret}`,
          referrer: `https://elsewhere.example/?q=${secret}`,
          originalPolicy: `script-src 'nonce-${secret}'`,
        }),
      ]),
    });
    const kept = JSON.stringify(await server.entries());
    expect(kept).to.include("https://cdn.example/a.png");
    expect(kept).to.not.include(secret);
    expect(kept).to.not.include('127.0.0.1"');
  });

  for (const scheme of [
    "chrome-extension://abc/x.js",
    "moz-extension://abc/x.js",
    "safari-extension://abc/x.js",
    "safari-web-extension://abc/x.js",
    "chrome-extension",
    "webkit-masked-url://hidden/",
  ]) {
    it(`leaves out what the extension ${scheme} caused`, async () => {
      const server = await collect();
      await server.send([
        cspReport(server.origin, { blockedURL: scheme }),
        cspReport(server.origin, { sourceFile: scheme }),
      ]);
      expect(await server.entries()).to.deep.equal([]);
      expect(server.collector.totals().dropped.extension).to.equal(2);
    });
  }

  it("leaves out reports about pages of another site", async () => {
    const server = await collect({ origins: ["https://www.example"] });
    await server.send([
      cspReport("https://bank.example"),
      cspReport("http://127.0.0.1:1"),
      cspReport("https://www.example"),
      cspReport("about:blank"),
    ]);
    expect((await server.entries()).map(({ page }) => page)).to.deep.equal([
      "https://www.example/page",
    ]);
    expect(server.collector.totals().dropped["foreign-page"]).to.equal(3);
  });

  for (const [name, report] of [
    ["null", null],
    ["a text", "csp"],
    ["a list in a list", [[]]],
    ["no body", { type: "csp-violation" }],
    ["an unknown directive", { effectiveDirective: "script-src; report-uri x" }],
    ["an object for a directive", { effectiveDirective: {} }],
    ["a pattern for a host", { blockedURL: "https://*.com/a.js" }],
    ["an address that is none", { blockedURL: "not an address" }],
    ["an address of 5,000 characters", { blockedURL: `https://cdn.example/${"a".repeat(5000)}` }],
    ["a page that is none", { documentURL: 7 }],
    ["__proto__ for a type", { ["__proto__"]: 1 }],
  ] as const) {
    it(`leaves out a report with ${name}`, async () => {
      const server = await collect();
      const isBody =
        typeof report === "object" &&
        report !== null &&
        !Array.isArray(report) &&
        !("type" in report);
      const sent =
        isBody && !name.startsWith("__")
          ? cspReport(server.origin, { ...(report as object) })
          : report;
      expect(await server.send([sent])).to.equal(204);
      expect(await server.entries()).to.deep.equal([]);
      expect(server.collector.totals().dropped.malformed).to.equal(1);
    });
  }

  it("leaves out reports that are of no violation", async () => {
    const server = await collect();
    await server.send([{ type: "deprecation", url: `${server.origin}/`, body: {} }]);
    await server.send([{ type: "constructor", url: `${server.origin}/`, body: {} }]);
    expect(server.collector.totals().dropped["other-type"]).to.equal(2);
  });

  it("takes control and invisible characters out of a sample, which may not turn what is read", async () => {
    const server = await collect();
    await server.send([cspReport(server.origin, { sample: "a\u0000b\r\nc\u202ed\u200be\u2066" })]);
    expect((await server.entries())[0]?.sample).to.equal("a b  c d e");
  });

  for (const [body, contentType, status] of [
    ["{}", "text/plain", 415],
    ["{}", "", 415],
    ["{", "application/csp-report", 400],
    ["", "application/csp-report", 400],
    [Buffer.from([0x7b, 0xff, 0x7d]), "application/csp-report", 400],
    ["[]", "application/reports+json", 204],
  ] as const) {
    it(`answers ${JSON.stringify(String(body))} as ${JSON.stringify(contentType)} with ${status}`, async () => {
      const server = await collect();
      expect(await server.send(body, contentType)).to.equal(status);
    });
  }

  it("answers a compressed body with 415", async () => {
    const server = await collect();
    const { status } = await fetch(`${server.origin}/.well-known/reports/csp`, {
      method: "POST",
      headers: { "content-type": "application/csp-report", "content-encoding": "gzip" },
      body: "{}",
    });
    expect(status).to.equal(415);
  });

  it("answers 413 before it reads a body that announces more than 64 KB", async () => {
    const server = await collect();
    const request = requestHttp({
      port: server.port,
      host: "127.0.0.1",
      path: "/.well-known/reports/csp",
      method: "POST",
      headers: { "content-type": "application/csp-report", "content-length": 10_000_000 },
    });
    request.on("error", () => undefined);
    request.flushHeaders();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(response.statusCode).to.equal(413);
    expect(response.headers.connection).to.equal("close");
    request.destroy();
  });

  it("answers 413 at the first byte beyond 64 KB of a body that announces nothing", async () => {
    const server = await collect();
    const request = requestHttp({
      port: server.port,
      host: "127.0.0.1",
      path: "/.well-known/reports/csp",
      method: "POST",
      headers: { "content-type": "application/csp-report" },
    });
    request.on("error", () => undefined);
    request.write(Buffer.alloc(65_537, "["));
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(response.statusCode).to.equal(413);
    request.destroy();
  });

  it("reads 100 reports of a body and counts the rest", async () => {
    const server = await collect();
    const reports = Array.from({ length: 20_000 }, () => ({}));
    expect(await server.send(reports)).to.equal(204);
    const { dropped } = server.collector.totals();
    expect(dropped).to.include({ malformed: 100, excess: 19_900 });
  });

  it("survives JSON of 60,000 levels", async () => {
    const server = await collect();
    const deep = "[".repeat(30_000) + "]".repeat(30_000);
    expect(await server.send(deep)).to.equal(204);
    expect(await server.send("[".repeat(60_000))).to.equal(400);
    expect(await server.send(`{"a":`.repeat(10_000) + "1" + "}".repeat(10_000))).to.equal(204);
    expect(await server.entries()).to.deep.equal([]);
  });

  it("asks the limiter by the client, and answers 429 with Retry-After", async () => {
    const keys: string[] = [];
    const limiter = {
      consume(key: string) {
        keys.push(key);
        return { kind: keys.length > 1 ? "limited" : "admitted" };
      },
    };
    const server = await collect({ limiter });
    expect(await server.send([cspReport(server.origin)])).to.equal(204);
    expect(await server.send([cspReport(server.origin)])).to.equal(429);
    expect(keys).to.deep.equal(["127.0.0.1", "127.0.0.1"]);
    expect(await server.entries()).to.have.lengthOf(1);
  });

  it("takes 1200 bodies a minute where it has no limiter, and more in the next one", async function () {
    this.timeout(10_000);
    let now = NOON;
    const server = await collect({ clock: () => now });
    for (let sent = 0; sent < 1200; sent += 40) {
      await Promise.all(Array.from({ length: 40 }, () => server.send("[]")));
    }
    expect(await server.send("[]")).to.equal(429);
    now += 60_000;
    expect(await server.send("[]")).to.equal(204);
  });

  it("answers 503 when the store fails, and tells so", async () => {
    const failure = new Error("disk full");
    const store: ReportStore = {
      ...memoryReportStore(),
      add: () => Promise.reject(failure),
    };
    const events: unknown[] = [];
    const server = await collect({ store, onEvent: (event) => events.push(event) });
    expect(await server.send([cspReport(server.origin)])).to.equal(503);
    expect(events).to.deep.equal([{ kind: "store-failed", error: failure }]);
  });

  for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
    it(`answers ${method} of an endpoint with 405 and what is allowed`, async () => {
      const server = await collect();
      const { status, headers } = await fetch(`${server.origin}/.well-known/reports/csp`, {
        method,
      });
      expect(status).to.equal(405);
      expect(headers.get("allow")).to.equal("POST, OPTIONS");
    });
  }

  it("answers the preflight of an origin that may report, and of no other", async () => {
    const server = await collect({ origins: ["https://www.example"] });
    const ask = async (origin: string): Promise<string | null> => {
      const { status, headers } = await fetch(`${server.origin}/.well-known/reports/csp`, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST" },
      });
      expect(status).to.equal(204);
      return headers.get("access-control-allow-origin");
    };
    expect(await ask("https://www.example")).to.equal("https://www.example");
    expect(await ask("https://evil.example")).to.equal(null);
  });

  it("passes on what is not below its path", async () => {
    const server = await collect();
    const { status } = await fetch(`${server.origin}/.well-known/reportsx`, { method: "POST" });
    expect(status).to.equal(404);
  });

  for (const host of HOSTS) {
    it(`leaves other requests alone in ${host}`, async () => {
      const server = await serveMiddleware(host, reportCollector());
      open.push(server);
      expect((await server.ask()).body).to.equal("reached");
    });
  }

  it("knows its path also where Express mounts it", async () => {
    const collector = reportCollector();
    const server = createServer(express().use("/.well-known", collector)).listen(0, "127.0.0.1");
    open.push(server);
    await once(server, "listening");
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { status } = await fetch(`${origin}/.well-known/reports/csp`, {
      method: "POST",
      headers: { "content-type": "application/reports+json" },
      body: JSON.stringify([cspReport(origin)]),
    });
    expect(status).to.equal(204);
    expect(collector.totals().accepted).to.equal(1);
  });
});
