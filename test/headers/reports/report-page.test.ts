import { request as requestHttp, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { memoryReportStore, type ReportCollectorOptions } from "@hauberk/headers/reports";
import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { serveCollector, type CollectorServer } from "../../support/collector-server.ts";
import { NOON, reportEntry } from "../../support/report-entries.ts";

const open: CollectorServer[] = [];
const TOKEN = "a-token-of-24-characters";

interface Shown {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

async function serve(options: ReportCollectorOptions = {}): Promise<CollectorServer> {
  const server = await serveCollector({ clock: () => NOON, ...options });
  open.push(server);
  return server;
}

async function show(
  { port }: CollectorServer,
  headers: OutgoingHttpHeaders = {},
  method = "GET",
): Promise<Shown> {
  const request = requestHttp({
    host: "127.0.0.1",
    port,
    path: "/.well-known/reports/",
    method,
    headers,
    agent: false,
  }).end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const body = await text(response);
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

function basic(password: string): OutgoingHttpHeaders {
  return { authorization: `Basic ${Buffer.from(`me:${password}`).toString("base64")}` };
}

/** Markup that would run if any of it were taken for markup. */
const HOSTILE = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "'-alert(1)-'",
  "</style><svg onload=alert(1)>",
  "<!--",
  "&lt;script&gt;",
  "${alert(1)}",
];

describe("the page of reports", () => {
  afterEach(() => {
    for (const server of open.splice(0)) server.close();
  });

  it("is shown to this machine, and says when there is nothing", async () => {
    const { status, body } = await show(await serve());
    expect(status).to.equal(200);
    expect(body).to.include("Nothing was reported");
  });

  it("shows what was blocked, where, how often and what to change", async () => {
    const store = memoryReportStore();
    store.add([
      reportEntry({ count: 1234, sample: "var x", source: "https://site.example/a.js:1:2" }),
    ]);
    const page = { policy: "default-src 'self'", minReporters: 1 };
    const { body } = await show(await serve({ store, page }));
    for (const shown of [
      "https://cdn.example/logo.png",
      "https://site.example/",
      "1,234",
      "var x",
      "https://site.example/a.js:1:2",
      "<ins>+   https://cdn.example</ins>",
      "2026-11-22 12:00 UTC",
    ]) {
      expect(body).to.include(shown);
    }
  });

  it("draws what was blocked and what was only reported per day", async () => {
    const store = memoryReportStore();
    store.add([
      reportEntry({ count: 3, days: { "2026-11-21": 1, "2026-11-22": 2 } }),
      reportEntry({ disposition: "report", count: 5, days: { "2026-11-22": 5 } }),
    ]);
    const { body } = await show(await serve({ store }));
    expect(body).to.include("<title>2026-11-22: 2 blocked, 5 only reported</title>");
    expect(body).to.include("<title>2026-11-21: 1 blocked, 0 only reported</title>");
  });

  it("stands under a policy that lets its own style in and nothing run", async () => {
    const { headers } = await show(await serve());
    expect(headers["content-security-policy"]).to.match(
      /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'; sandbox$/,
    );
    expect(headers).to.include({
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
  });

  it("shows hostile reports as text (stored XSS)", async () => {
    const store = memoryReportStore();
    for (const hostile of HOSTILE) {
      store.add([
        reportEntry({ sample: hostile, blocked: hostile, page: hostile, source: hostile }),
        reportEntry({ kind: "coep", directive: hostile }),
      ]);
    }
    const page = { policy: `default-src 'self'; img-src ${HOSTILE[0] ?? ""}`, minReporters: 1 };
    const { body } = await show(await serve({ store, page }));
    const harmless = body.replace(/<style>.*<\/style>/s, "");
    expect(harmless).to.not.match(/<(?:script|img|style|!--)/i);
    expect(harmless).to.not.match(/<[^>]*\son\w+=/i);
    expect(harmless).to.include("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(harmless).to.include("&amp;lt;script&amp;gt;");
  });

  for (const [name, headers] of [
    ["through a proxy of this machine", { "x-forwarded-for": "203.0.113.7" }],
    ["through a proxy that says Forwarded", { forwarded: "for=203.0.113.7" }],
    ["under a name that was pointed here (DNS rebinding)", { host: "evil.example" }],
    ["under a name that begins like a local one", { host: "127.0.0.1.evil.example" }],
    ["under a name that ends like a local one", { host: "notlocalhost" }],
  ] as const) {
    it(`is denied without a token ${name}`, async () => {
      const { status, body } = await show(await serve(), headers);
      expect(status).to.equal(403);
      expect(body).to.equal("");
    });
  }

  for (const host of ["localhost:8443", "app.localhost", "127.0.0.1", "[::1]:8443"]) {
    it(`is shown under ${host}`, async () => {
      expect((await show(await serve(), { host })).status).to.equal(200);
    });
  }

  it("takes the token as a password or a Bearer token, from anywhere", async () => {
    const server = await serve({ page: { token: TOKEN } });
    const elsewhere = { host: "site.example", "x-forwarded-for": "203.0.113.7" };
    expect((await show(server, { ...elsewhere, ...basic(TOKEN) })).status).to.equal(200);
    const bearer = { ...elsewhere, authorization: `Bearer ${TOKEN}` };
    expect((await show(server, bearer)).status).to.equal(200);
  });

  for (const [name, headers] of [
    ["no token", {}],
    ["another token", basic("a-token-of-24-characterz")],
    ["a prefix of the token", basic(TOKEN.slice(0, -1))],
    ["an empty password", basic("")],
    ["another scheme", { authorization: `Digest ${TOKEN}` }],
    ["the token alone", { authorization: TOKEN }],
  ] as const) {
    it(`asks for the token when it is given ${name}, also from this machine`, async () => {
      const {
        status,
        headers: received,
        body,
      } = await show(await serve({ page: { token: TOKEN } }), headers);
      expect(status).to.equal(401);
      expect(received["www-authenticate"]).to.match(/^Basic realm=/);
      expect(body).to.equal("");
    });
  }

  it("limits how often a token may be guessed", async () => {
    const limiter = { consume: () => ({ kind: "limited" }) };
    const server = await serve({ page: { token: TOKEN }, limiter });
    expect((await show(server, basic("wrong"))).status).to.equal(429);
    expect((await show(server, basic(TOKEN))).status).to.equal(200);
  });

  it("does not exist when it is switched off", async () => {
    expect((await show(await serve({ page: false }))).status).to.equal(404);
  });

  it("is only read: HEAD without content, other methods refused", async () => {
    const server = await serve();
    const head = await show(server, {}, "HEAD");
    expect(head.status).to.equal(200);
    expect(head.body).to.equal("");
    const post = await show(server, {}, "POST");
    expect(post.status).to.equal(405);
    expect(post.headers["allow"]).to.equal("GET, HEAD, OPTIONS");
  });
});
