import { EventEmitter } from "node:events";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import {
  type Ledger,
  type RateLimitOptions,
  type RateLimitedRequest,
  MemoryStore,
  addressKey,
  rateLimit,
} from "@hauberk/rate-limit";
import { expect } from "chai";
import type express from "express";
import { afterEach, describe, it } from "mocha";
import { HOSTS, type Middleware, type Reply } from "../support/middleware-server.ts";
import { closeServers, forwardedFor, serve, statusesOf } from "../support/served-middleware.ts";

const POLICY = { limit: 2, windowMs: 60_000, clock: () => 0 };

const setNosniff: Middleware = (_request, response, next) => {
  response.setHeader("x-content-type-options", "nosniff");
  next();
};

afterEach(closeServers);

for (const host of HOSTS) {
  describe(`rateLimit() in ${host}`, () => {
    it("admits the limit and refuses the rest with problem details", async () => {
      const server = await serve(host, rateLimit(POLICY));
      expect(await statusesOf(server, [{}, {}])).to.deep.equal([200, 200]);
      const reply = await server.ask();
      expect(reply.status).to.equal(429);
      expect(reply.headers).to.deep.include({
        "content-type": "application/problem+json",
        "cache-control": "no-store",
        "retry-after": "30",
        "ratelimit-policy": '"default";q=2;w=60',
        ratelimit: '"default";r=0;t=30',
      });
      expect(reply.headers["content-length"]).to.equal(String(reply.body.length));
      expect(JSON.parse(reply.body)).to.deep.include({
        status: 429,
        "violated-policies": ["default"],
      });
    });

    it("puts the fields on admitted responses too, without Retry-After", async () => {
      const server = await serve(host, rateLimit(POLICY));
      const { headers } = await server.ask();
      expect(headers["ratelimit-policy"]).to.equal('"default";q=2;w=60');
      expect(headers["ratelimit"]).to.equal('"default";r=1;t=30');
      expect(headers).to.not.have.property("retry-after");
    });

    it("answers a refused HEAD without a body but with its length", async () => {
      const server = await serve(host, rateLimit({ ...POLICY, limit: 0 }));
      const get = await server.ask();
      const head = await server.ask({ method: "HEAD" });
      expect(head.status).to.equal(429);
      expect(head.body).to.equal("");
      expect(head.headers["content-length"]).to.equal(get.headers["content-length"]);
    });

    it("leaves headers set before it in place on a refused response", async () => {
      const server = await serve(host, setNosniff, rateLimit({ ...POLICY, limit: 0 }));
      const reply = await server.ask();
      expect(reply.headers["x-content-type-options"]).to.equal("nosniff");
    });

    it("sets request.rateLimit to the decision", async () => {
      const decisions: RateLimitedRequest["rateLimit"][] = [];
      const record: Middleware = (request: RateLimitedRequest, _response, next) => {
        decisions.push(request.rateLimit);
        next();
      };
      const server = await serve(host, rateLimit(POLICY), record);
      await server.ask();
      const [decision] = decisions;
      expect(decision).to.deep.include({ kind: "admitted", limit: 2, remaining: 1 });
      expect(decision).to.deep.include({ resetMs: 30_000, delayMs: 0 });
      expect(decision?.policy).to.deep.include({ name: "default", limit: 2 });
      expect(decision?.decisions).to.have.lengthOf(1);
    });

    it("lists every policy when two are stacked", async () => {
      const burst = rateLimit({ ...POLICY, name: "burst" });
      const daily = rateLimit({ ...POLICY, name: "daily", limit: 24, windowMs: 86_400_000 });
      const server = await serve(host, burst, daily);
      const { headers } = await server.ask();
      expect(headers["ratelimit-policy"]).to.equal('"burst";q=2;w=60, "daily";q=24;w=86400');
      expect(headers["ratelimit"]).to.equal('"burst";r=1;t=30, "daily";r=23;t=3600');
    });

    it("does not believe the forwarded fields of a direct client", async () => {
      const server = await serve(host, rateLimit(POLICY));
      const spoofed = forwardedFor("192.0.2.1", "192.0.2.2", "192.0.2.3");
      expect(await statusesOf(server, spoofed)).to.deep.equal([200, 200, 429]);
    });

    it("limits clients behind a trusted proxy by their own addresses", async () => {
      const server = await serve(host, rateLimit({ ...POLICY, trustedProxies: ["127.0.0.0/8"] }));
      const one = forwardedFor("192.0.2.1", "6.6.6.6, 192.0.2.1", "::ffff:c000:201");
      expect(await statusesOf(server, one)).to.deep.equal([200, 200, 429]);
      const other = forwardedFor("192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8::3");
      expect(await statusesOf(server, other)).to.deep.equal([200, 200, 200, 429]);
    });

    it("joins several lines of X-Forwarded-For before it looks for the rightmost", async () => {
      const server = await serve(host, rateLimit({ ...POLICY, trustedProxies: ["127.0.0.1"] }));
      const lines = ["6.6.6.1", "6.6.6.2", "6.6.6.3"].map((forged) => ({
        headers: { "x-forwarded-for": [forged, "192.0.2.1"] },
      }));
      expect(await statusesOf(server, lines)).to.deep.equal([200, 200, 429]);
    });

    it("sends what a user's function throws to next and does not admit the request", async () => {
      const failing: Partial<RateLimitOptions>[] = [
        { keyGenerator: () => raise("no key") },
        { skip: () => raise("no skip") },
        { handler: () => raise("no handler"), limit: 0 },
        { handler: () => Promise.reject(new Error("no handler later")), limit: 0 },
        { store: { ledger: () => BROKEN_LEDGER } },
      ];
      const replies: Reply[] = [];
      for (const options of failing) {
        const server = await serve(host, rateLimit({ ...POLICY, ...options }));
        replies.push(await server.ask());
      }
      expect(replies.map(({ status, body }) => `${status} ${body}`)).to.deep.equal([
        "500 no key",
        "500 no skip",
        "500 no handler",
        "500 no handler later",
        "500 no store",
      ]);
    });

    it("counts 200 parallel requests exactly", async () => {
      const server = await serve(host, rateLimit({ ...POLICY, limit: 5 }));
      const replies = await Promise.all(Array.from({ length: 200 }, () => server.ask()));
      expect(replies.filter(({ status }) => status === 200)).to.have.lengthOf(5);
      expect(replies.filter(({ status }) => status === 429)).to.have.lengthOf(195);
    });
  });
}

describe("rateLimit() options", () => {
  it("reads Forwarded instead of X-Forwarded-For when told to", async () => {
    const trust = { trustedProxies: ["127.0.0.1"], forwardedHeader: "forwarded" } as const;
    const server = await serve("node:http", rateLimit({ ...POLICY, ...trust }));
    const requests = ["for=192.0.2.1", "for=6.6.6.6, for=192.0.2.1", 'for="192.0.2.1:80"'].map(
      (forwarded, index) => ({ headers: { forwarded, "x-forwarded-for": `203.0.113.${index}` } }),
    );
    expect(await statusesOf(server, requests)).to.deep.equal([200, 200, 429]);
  });

  it("cuts IPv6 clients at the prefix it is given", async () => {
    const trust = { trustedProxies: ["127.0.0.1"], ipv6Prefix: 48 };
    const server = await serve("node:http", rateLimit({ ...POLICY, ...trust }));
    const clients = forwardedFor("2001:db8:1:1::1", "2001:db8:1:2::1", "2001:db8:1:3::1");
    expect(await statusesOf(server, clients)).to.deep.equal([200, 200, 429]);
  });

  it("counts by the key that keyGenerator returns", async () => {
    const perKeyAndAddress: Partial<RateLimitOptions> = {
      keyGenerator: ({ headers, socket }) =>
        `${String(headers["x-api-key"])} ${addressKey(socket.remoteAddress ?? "")}`,
    };
    const server = await serve(
      "node:http",
      rateLimit({ ...POLICY, limit: 1, ...perKeyAndAddress }),
    );
    const requests = ["a", "b", "a"].map((key) => ({ headers: { "x-api-key": key } }));
    expect(await statusesOf(server, requests)).to.deep.equal([200, 200, 429]);
  });

  it("gives user functions the request of Express, also by its type", async () => {
    const byHeader: Partial<RateLimitOptions> = {
      keyGenerator: (request: express.Request) => request.get("x-api-key") ?? "none",
    };
    const server = await serve("Express 5", rateLimit({ ...POLICY, limit: 1, ...byHeader }));
    const requests = ["a", "b", "a"].map((key) => ({ headers: { "x-api-key": key } }));
    expect(await statusesOf(server, requests)).to.deep.equal([200, 200, 429]);
  });

  it("neither counts nor marks what skip returns true for", async () => {
    const preflights: Partial<RateLimitOptions> = { skip: ({ method }) => method === "OPTIONS" };
    const server = await serve("node:http", rateLimit({ ...POLICY, limit: 1, ...preflights }));
    const preflight = await server.ask({ method: "OPTIONS" });
    expect(preflight.headers).to.not.have.property("ratelimit");
    const requests = [{ method: "OPTIONS" }, {}, { method: "OPTIONS" }, {}];
    expect(await statusesOf(server, requests)).to.deep.equal([200, 200, 200, 429]);
  });

  it("waits for the promises of skip and keyGenerator", async () => {
    const skip: RateLimitOptions["skip"] = ({ method }) => Promise.resolve(method === "OPTIONS");
    const keyGenerator: RateLimitOptions["keyGenerator"] = ({ headers }) =>
      Promise.resolve(String(headers["x-api-key"]));
    const server = await serve("node:http", rateLimit({ ...POLICY, limit: 1, skip, keyGenerator }));
    const requests = ["a", "b", "a"].map((key) => ({ headers: { "x-api-key": key } }));
    expect(await statusesOf(server, requests)).to.deep.equal([200, 200, 429]);
    expect(await statusesOf(server, [{ method: "OPTIONS" }])).to.deep.equal([200]);
  });

  it("does not admit what skip and keyGenerator have no proper answer for, now or later", async () => {
    for (const answer of [undefined, 1, {}, Promise.resolve(undefined), Promise.resolve(1)]) {
      for (const option of ["skip", "keyGenerator"]) {
        const options = { ...POLICY, [option]: () => answer };
        const server = await serve("node:http", rateLimit(options));
        const reply = await server.ask();
        expect(reply.status, option).to.equal(500);
        expect(reply.body).to.match(/must return a (boolean|string), got/);
      }
    }
  });

  it("lets a handler answer, with the fields set and the status its own", async () => {
    const slowDown: Partial<RateLimitOptions> = {
      handler: (_request, response: ServerResponse) => response.end("slow down"),
    };
    const server = await serve("node:http", rateLimit({ ...POLICY, limit: 0, ...slowDown }));
    const reply = await server.ask();
    expect(reply).to.deep.include({ status: 200, body: "slow down" });
    expect(reply.headers["ratelimit"]).to.equal('"default";r=0');
  });

  it("lets a handler pass a limited request on, with the decision in hand", async () => {
    const kinds: string[] = [];
    const handler: RateLimitOptions["handler"] = (_request, _response, next, decision) => {
      kinds.push(decision.kind);
      next();
    };
    const server = await serve("node:http", rateLimit({ ...POLICY, limit: 0, handler }));
    expect((await server.ask()).status).to.equal(200);
    expect(kinds).to.deep.equal(["limited"]);
  });

  it("answers with another status, which the problem details repeat", async () => {
    const server = await serve("node:http", rateLimit({ ...POLICY, limit: 0, statusCode: 503 }));
    const reply = await server.ask();
    expect(reply.status).to.equal(503);
    expect(JSON.parse(reply.body)).to.deep.include({ status: 503 });
  });

  it("shares a store between two limits of one name", async () => {
    const store = new MemoryStore();
    const read = await serve("node:http", rateLimit({ ...POLICY, store }));
    const write = await serve("node:http", rateLimit({ ...POLICY, store }));
    expect(await statusesOf(read, [{}, {}])).to.deep.equal([200, 200]);
    expect(await statusesOf(write, [{}])).to.deep.equal([429]);
  });

  it("escapes a name that holds quotes, in the fields and in the body", async () => {
    const limit = rateLimit({ ...POLICY, limit: 0, name: 'the "big" one' });
    const server = await serve("node:http", limit);
    const reply = await server.ask();
    expect(reply.headers["ratelimit"]).to.equal('"the \\"big\\" one";r=0');
    expect(reply.body).to.include('"violated-policies":["the \\"big\\" one"]');
  });

  for (const [options, message] of [
    [{ limits: 5 }, 'Unknown rateLimit option "limits", did you mean "limit"?'],
    [
      { trustProxies: [] },
      'Unknown rateLimit option "trustProxies", did you mean "trustedProxies"?',
    ],
    [{ trustedProxies: 1 }, '"trustedProxies" must be an array'],
    [{ forwardedHeader: "x-real-ip" }, '"forwardedHeader" must be'],
    [{ keyGenerator: "ip" }, '"keyGenerator" must be a function, got "ip"'],
    [{ skip: true }, '"skip" must be a function, got true'],
    [{ handler: {} }, '"handler" must be a function, got {}'],
    [{ windowMs: "1m" }, '"windowMs" must be an integer'],
  ] as const) {
    it(`refuses ${JSON.stringify(options)} at construction`, () => {
      expect(() => rateLimit({ ...POLICY, ...(options as object) })).to.throw(TypeError, message);
    });
  }

  for (const options of [{ ipv6Prefix: 65 }, { statusCode: 200 }, { limit: NaN }, { burst: -1 }]) {
    it(`refuses ${Object.keys(options)[0]} ${Object.values(options)[0]} at construction`, () => {
      expect(() => rateLimit({ ...POLICY, ...options })).to.throw(RangeError, /must be an integer/);
    });
  }

  it("refuses to be built without options", () => {
    expect(() => rateLimit(undefined as never)).to.throw(TypeError, /expected an object/);
  });
});

describe("rateLimit() on requests out of the ordinary", () => {
  it("limits requests without a peer address as one client", () => {
    const limit = rateLimit({ ...POLICY, trustedProxies: ["127.0.0.1"] });
    const outcomes: string[] = [];
    for (const claimed of ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) {
      const request = new IncomingMessage(new Socket());
      request.headers["x-forwarded-for"] = claimed;
      const response = new ServerResponse(request);
      limit(request, response, () => outcomes.push("admitted"));
      if (response.writableEnded) outcomes.push(String(response.statusCode));
    }
    expect(outcomes).to.deep.equal(["admitted", "admitted", "429"]);
  });

  it("joins an array that something before it left in the headers", () => {
    const limit = rateLimit({ ...POLICY, limit: 1, trustedProxies: ["127.0.0.1"] });
    const outcomes: string[] = [];
    for (const forged of ["6.6.6.1", "6.6.6.2"]) {
      const socket = Object.defineProperty(new Socket(), "remoteAddress", { value: "127.0.0.1" });
      const request = new IncomingMessage(socket);
      request.headers["x-forwarded-for"] = [forged, "192.0.2.1"];
      const response = new ServerResponse(request);
      limit(request, response, () => outcomes.push("admitted"));
      if (response.writableEnded) outcomes.push(String(response.statusCode));
    }
    expect(outcomes).to.deep.equal(["admitted", "429"]);
  });

  it("sends the error to next when the headers have left already", () => {
    const limit = rateLimit({ ...POLICY, limit: 0 });
    const request = new IncomingMessage(new Socket());
    const response = new ServerResponse(request);
    response.writeHead(200).flushHeaders();
    const errors: unknown[] = [];
    limit(request, response, (error) => errors.push(error));
    expect(errors).to.have.lengthOf(1);
    expect(errors[0]).to.have.property("code", "ERR_HTTP_HEADERS_SENT");
  });

  it("sends the error to next when an HTTP/2 request has lost its socket", () => {
    const request = Object.defineProperty(new EventEmitter(), "socket", {
      get: () => raise("socket unbound"),
    });
    const errors: unknown[] = [];
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    rateLimit(POLICY)(request as never, response, (error) => errors.push(error));
    expect(errors).to.have.lengthOf(1);
    expect((errors[0] as Error).message).to.equal("socket unbound");
  });

  it("calls next once when what follows throws", () => {
    const request = new IncomingMessage(new Socket());
    let calls = 0;
    const next = (): void => {
      calls++;
      raise("downstream");
    };
    expect(() => rateLimit(POLICY)(request, new ServerResponse(request), next)).to.throw(
      "downstream",
    );
    expect(calls).to.equal(1);
  });
});

const BROKEN_LEDGER: Ledger = {
  charge: () => raise("no store"),
  refund: () => raise("no store"),
  block: () => raise("no store"),
  forget: () => raise("no store"),
};

function raise(message: string): never {
  throw new Error(message);
}
