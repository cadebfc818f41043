import { crossOriginProtection, type RefusedRequest, resourceIsolation } from "@hauberk/headers";
import { expect } from "chai";
import { describe, it } from "mocha";
import {
  HOSTS,
  serveMiddleware,
  type Middleware,
  type Reply,
} from "../support/middleware-server.ts";

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly path?: string;
}

async function ask(middleware: Middleware, sent: Sent, host = HOSTS[0]): Promise<Reply> {
  const server = await serveMiddleware(host ?? "node:http", middleware);
  try {
    return await server.ask(sent);
  } finally {
    server.close();
  }
}

const FOREIGN = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };

describe("crossOriginProtection()", () => {
  const cases: readonly [string, string, Record<string, string | string[]>, number][] = [
    ["passes a POST of the own page", "POST", { "sec-fetch-site": "same-origin" }, 200],
    ["passes a POST the user typed in", "POST", { "sec-fetch-site": "none" }, 200],
    ["refuses a POST of another site", "POST", FOREIGN, 403],
    ["refuses a POST of a subdomain", "POST", { "sec-fetch-site": "same-site" }, 403],
    [
      "refuses a Sec-Fetch-Site that no browser sends",
      "POST",
      { "sec-fetch-site": "Same-Origin" },
      403,
    ],
    [
      "refuses a Sec-Fetch-Site sent twice",
      "POST",
      { "sec-fetch-site": ["same-origin", "cross-site"] },
      403,
    ],
    ["refuses DELETE alike", "DELETE", FOREIGN, 403],
    ["refuses an unknown method alike", "PROPFIND", FOREIGN, 403],
    ["passes a GET of another site", "GET", FOREIGN, 200],
    ["passes a preflight", "OPTIONS", FOREIGN, 200],
    ["passes a program, which sends neither header", "POST", {}, 200],
    [
      "passes an Origin that is the Host, where Sec-Fetch-Site is missing",
      "POST",
      { origin: "http://a.example", host: "a.example" },
      200,
    ],
    [
      "passes it behind a proxy that ended TLS",
      "POST",
      { origin: "https://a.example", host: "a.example" },
      200,
    ],
    [
      "passes it with the default port spelt out",
      "POST",
      { origin: "https://a.example", host: "A.example:443" },
      200,
    ],
    [
      "refuses another Origin, where Sec-Fetch-Site is missing",
      "POST",
      { origin: "https://evil.example", host: "a.example" },
      403,
    ],
    ["refuses another port", "POST", { origin: "https://a.example:8443", host: "a.example" }, 403],
    ["refuses Origin null", "POST", { origin: "null", host: "a.example" }, 403],
    [
      "refuses an Origin that is no address",
      "POST",
      { origin: "a.example", host: "a.example" },
      403,
    ],
    [
      "passes a trusted origin",
      "POST",
      { "sec-fetch-site": "cross-site", origin: "https://app.example" },
      200,
    ],
    [
      "refuses what only begins like a trusted origin",
      "POST",
      { "sec-fetch-site": "cross-site", origin: "https://app.example.evil.example" },
      403,
    ],
  ];
  const protection = crossOriginProtection({ trustedOrigins: ["https://app.example"] });
  for (const [what, method, headers, status] of cases) {
    it(what, async () => {
      expect((await ask(protection, { method, headers })).status).to.equal(status);
    });
  }

  it("passes a HEAD of another site", async () => {
    const reply = await ask(protection, { method: "HEAD", headers: FOREIGN }, "Express 5");
    expect(reply.status).to.equal(200);
  });

  for (const host of HOSTS) {
    it(`decides the same under ${host}`, async () => {
      const refused = await ask(protection, { method: "POST", headers: FOREIGN }, host);
      expect(refused.status).to.equal(403);
      expect(refused.headers["cache-control"]).to.equal("no-store");
      expect(refused.body).to.not.include("evil");
      const headers = { "sec-fetch-site": "same-origin" };
      expect((await ask(protection, { method: "POST", headers }, host)).body).to.equal("reached");
    });
  }

  it("tells of a refusal, and only tells with reportOnly", async () => {
    const refusals: RefusedRequest[] = [];
    const watching = crossOriginProtection({
      reportOnly: true,
      onRefused: (refusal) => refusals.push(refusal),
    });
    const reply = await ask(watching, { method: "POST", headers: FOREIGN });
    expect(reply.body).to.equal("reached");
    expect(refusals).to.deep.equal([
      {
        reason: "cross-site",
        method: "POST",
        path: "/",
        origin: "https://evil.example",
        site: "cross-site",
        mode: undefined,
        destination: undefined,
      },
    ]);
  });

  for (const [what, options, message] of [
    [
      "an origin with a path",
      { trustedOrigins: ["https://a.example/"] },
      /refuses "https:\/\/a.example\/"/,
    ],
    ["a host alone", { trustedOrigins: ["a.example"] }, /an origin is a scheme/],
    ["an exempt path that is none", { exemptPaths: ["hooks"] }, /write a path/],
    ["a star in the middle of a path", { exemptPaths: ["/a*b"] }, /write a path/],
    ["an unknown option, with the nearest", { exemptPath: [] }, /did you mean "exemptPaths"/],
    ["a listener that is none", { onRefused: "log" }, /must be a function/],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(() => crossOriginProtection(options as object)).to.throw(TypeError, message);
    });
  }
});

describe("exempt paths", () => {
  const protection = crossOriginProtection({ exemptPaths: ["/hook", "/open/*"] });
  const cases: readonly [string, boolean][] = [
    ["/hook", true],
    ["/hook?x=1", true],
    ["/hook/", false],
    ["/hooks", false],
    ["/HOOK", false],
    ["/open/a/b", true],
    ["/open", false],
    ["/opening", false],
    ["/open/../account", false],
    ["/open/%2e%2e/account", false],
    ["/open/..%2faccount", false],
    ["/open//account", false],
    ["/open/a\\b", false],
  ];
  for (const [url, isExempt] of cases) {
    it(`${isExempt ? "hold for" : "do not hold for"} ${url}`, () => {
      let passed = false;
      const request = { method: "POST", url, headers: FOREIGN, socket: {} };
      const response = { setHeader: () => undefined, end: () => undefined };
      protection(request as never, response as never, () => {
        passed = true;
      });
      expect(passed).to.equal(isExempt);
    });
  }

  it("are those that the client asked for, also below a router", () => {
    let passed = false;
    const request = {
      method: "POST",
      url: "/hook",
      originalUrl: "/account/hook",
      headers: FOREIGN,
    };
    const response = { setHeader: () => undefined, end: () => undefined };
    protection(request as never, response as never, () => {
      passed = true;
    });
    expect(passed).to.equal(false);
  });
});

describe("resourceIsolation()", () => {
  const navigate = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  const cross = { "sec-fetch-site": "cross-site" };
  const cases: readonly [string, string, Record<string, string>, number][] = [
    ["passes a client that sends no Sec-Fetch-Site", "GET", {}, 200],
    ["passes the own page's requests", "POST", { "sec-fetch-site": "same-origin" }, 200],
    ["passes an address typed in", "GET", { "sec-fetch-site": "none" }, 200],
    ["passes a subdomain", "GET", { "sec-fetch-site": "same-site" }, 200],
    ["passes a link from another site", "GET", { ...cross, ...navigate }, 200],
    ["refuses a form post from another site", "POST", { ...cross, ...navigate }, 403],
    [
      "refuses an image on another site",
      "GET",
      { ...cross, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
      403,
    ],
    [
      "refuses a fetch of another site",
      "GET",
      { ...cross, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
      403,
    ],
    [
      "refuses a frame on another site",
      "GET",
      { ...cross, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
      403,
    ],
    [
      "refuses an object on another site",
      "GET",
      { ...cross, "sec-fetch-mode": "navigate", "sec-fetch-dest": "object" },
      403,
    ],
    ["refuses a Sec-Fetch-Site it does not know", "GET", { "sec-fetch-site": "moon" }, 403],
  ];
  for (const [what, method, headers, status] of cases) {
    it(what, async () => {
      expect((await ask(resourceIsolation(), { method, headers })).status).to.equal(status);
    });
  }

  it("refuses HEAD without a body", async () => {
    const headers = { ...cross, "sec-fetch-mode": "cors" };
    const reply = await ask(resourceIsolation(), { method: "HEAD", headers });
    expect(reply.status).to.equal(403);
    expect(reply.body).to.equal("");
    expect(reply.headers["content-length"]).to.equal("47");
  });

  it("passes frames, not objects, with allowFraming", async () => {
    const isolation = resourceIsolation({ allowFraming: true });
    const frame = { ...cross, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" };
    expect((await ask(isolation, { headers: frame })).status).to.equal(200);
    const object = { ...frame, "sec-fetch-dest": "object" };
    expect((await ask(isolation, { headers: object })).status).to.equal(403);
  });

  it("refuses subdomains with allowSameSite: false", async () => {
    const headers = { "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" };
    const reply = await ask(resourceIsolation({ allowSameSite: false }), { headers });
    expect(reply.status).to.equal(403);
  });

  it("passes an exempt path", async () => {
    const reply = await ask(resourceIsolation({ exemptPaths: ["/"] }), { headers: cross });
    expect(reply.status).to.equal(200);
  });

  it("names in Vary what it decided by, beside what stands there", async () => {
    const host = await serveMiddleware(
      "node:http",
      (_request, response, next) => {
        response.setHeader("vary", "Accept-Encoding, sec-fetch-mode");
        next();
      },
      resourceIsolation(),
    );
    const reply = await host.ask();
    host.close();
    expect(reply.headers.vary).to.equal(
      "Accept-Encoding, sec-fetch-mode, Sec-Fetch-Dest, Sec-Fetch-Site",
    );
  });

  it("carries Vary on a refusal too", async () => {
    const reply = await ask(resourceIsolation(), { method: "POST", headers: cross });
    expect(reply.headers.vary).to.equal("Sec-Fetch-Dest, Sec-Fetch-Mode, Sec-Fetch-Site");
  });
});
