import { type RateLimitOptions, rateLimit } from "@hauberk/rate-limit";
import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import {
  answerAsAsked,
  asking,
  closeServers,
  repliesTo,
  serve,
} from "../support/served-middleware.ts";

const POLICY = { limit: 2, windowMs: 60_000, clock: () => 0 };

afterEach(closeServers);

describe("rateLimit() headers", () => {
  async function fieldsOf(headers: RateLimitOptions["headers"]): Promise<Record<string, unknown>> {
    const limit = rateLimit({ ...POLICY, ...(headers !== undefined && { headers }) });
    const server = await serve("node:http", limit);
    const [, , refused] = await repliesTo(server, [{}, {}, {}]);
    const own = Object.entries(refused!.headers).filter(([name]) => /ratelimit|retry/.test(name));
    return Object.fromEntries(own);
  }

  it("follow draft 7 in one field", async () => {
    expect(await fieldsOf("draft-7")).to.deep.equal({
      "ratelimit-policy": "2;w=60",
      ratelimit: "limit=2, remaining=0, reset=30",
      "retry-after": "30",
    });
  });

  it("follow draft 6 in three fields", async () => {
    expect(await fieldsOf("draft-6")).to.deep.equal({
      "ratelimit-policy": "2;w=60",
      "ratelimit-limit": "2",
      "ratelimit-remaining": "0",
      "ratelimit-reset": "30",
      "retry-after": "30",
    });
  });

  it("are the older X- fields, with the time of the reset since 1970", async () => {
    const before = Math.floor(Date.now() / 1000);
    const fields = await fieldsOf("legacy");
    expect(Object.keys(fields)).to.have.members([
      "x-ratelimit-limit",
      "x-ratelimit-remaining",
      "x-ratelimit-reset",
      "retry-after",
    ]);
    expect(Number(fields["x-ratelimit-reset"]) - before).to.be.within(30, 60);
  });

  it("are several forms together, or none but Retry-After", async () => {
    const both = await fieldsOf(["draft-11", "legacy"]);
    expect(both).to.include({ ratelimit: '"default";r=0;t=30', "x-ratelimit-limit": "2" });
    expect(await fieldsOf([])).to.deep.equal({ "retry-after": "30" });
  });

  it("state the tightest policy alone in forms that know one", async () => {
    const policies = [
      { name: "loose", limit: 9, windowMs: 60_000 },
      { name: "tight", limit: 2, windowMs: 1000 },
    ];
    const limit = rateLimit({ policies, clock: () => 0, headers: "draft-7" });
    const { headers } = await (await serve("node:http", limit)).ask();
    expect(headers["ratelimit-policy"]).to.equal("2;w=1");
    expect(headers["ratelimit"]).to.equal("limit=2, remaining=1, reset=1");
  });

  it("are on redirects and answers without content as well", async () => {
    const server = await serve("node:http", rateLimit({ ...POLICY, limit: 9 }), answerAsAsked);
    for (const reply of await repliesTo(server, asking(302, 404, 500))) {
      expect(reply.headers).to.have.property("ratelimit");
    }
    const head = await server.ask({ method: "HEAD" });
    expect(head.headers["ratelimit"]).to.equal('"default";r=5;t=27');
  });

  for (const headers of ["draft-8", ["draft-11", "draft-7"], [7], true]) {
    it(`refuse ${JSON.stringify(headers)}`, () => {
      expect(() => rateLimit({ ...POLICY, headers: headers as never })).to.throw(
        TypeError,
        /"headers" must/,
      );
    });
  }
});

describe("rateLimit() refusals", () => {
  const REFUSING = { ...POLICY, limit: 0 };

  for (const [accept, contentType] of [
    [undefined, "application/problem+json"],
    ["*/*", "application/problem+json"],
    ["application/json", "application/problem+json"],
    ["application/*;q=0.5, text/html;q=0.4", "application/problem+json"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"],
    ["text/plain", "text/plain; charset=utf-8"],
    ["text/*;q=0.3, text/plain;q=0.1", "text/html; charset=utf-8"],
    ["TEXT/HTML", "text/html; charset=utf-8"],
    ["image/png", "application/problem+json"],
    ["text/html;q=0", "application/problem+json"],
    ["rubbish,,;;q=", "application/problem+json"],
    [`${"a/b,".repeat(2000)}text/html`, "application/problem+json"],
  ] as const) {
    it(`are ${contentType} for Accept: ${String(accept).slice(0, 60)}`, async () => {
      const server = await serve("node:http", rateLimit(REFUSING));
      const headers = accept === undefined ? {} : { accept };
      const reply = await server.ask({ headers });
      expect(reply.status).to.equal(429);
      expect(reply.headers["content-type"]).to.equal(contentType);
      expect(reply.headers["cache-control"]).to.equal("no-store");
    });
  }

  it("say when to come back in words", async () => {
    const server = await serve("node:http", rateLimit({ ...POLICY, limit: 1 }));
    const text = { headers: { accept: "text/plain" } };
    const [, refused] = await repliesTo(server, [text, text]);
    expect(refused!.body).to.equal("Too many requests. Please try again in 60 seconds.\n");
    const html = await server.ask({ headers: { accept: "text/html" } });
    expect(html.body).to.match(/^<!doctype html>.*in 60 seconds\./);
    const never = await serve("node:http", rateLimit(REFUSING));
    expect((await never.ask(text)).body).to.include("not going to be answered");
  });

  it("are a message of the user's: text, an object, or a function of the request", async () => {
    for (const [message, contentType, body] of [
      ["slow down", "text/plain; charset=utf-8", "slow down"],
      [{ error: "slow down" }, "application/json", '{"error":"slow down"}'],
      [() => "slow down", "text/plain; charset=utf-8", "slow down"],
      [() => Promise.resolve({ slow: "down" }), "application/json", '{"slow":"down"}'],
    ] as const) {
      const server = await serve("node:http", rateLimit({ ...REFUSING, message }));
      const reply = await server.ask();
      expect(reply).to.deep.include({ status: 429, body });
      expect(reply.headers["content-type"]).to.equal(contentType);
    }
    expect(() => rateLimit({ ...POLICY, message: 7 as never })).to.throw(TypeError, /"message"/);
  });
});
