import { type EventEmitter, once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  request as requestHttp,
  type ServerResponse,
} from "node:http";
import { connect, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import {
  cspNonce,
  type HeadersError,
  type SecurityHeadersMiddleware,
  compileSecurityHeaders,
  securityHeaders,
} from "@hauberk/headers";
import { expect } from "chai";
import express from "express";
import { describe, it } from "mocha";
import { byName } from "../support/header-fields.ts";
import { askListener, type Listener, type Transport } from "../support/one-listener.ts";

const TRANSPORTS: readonly Transport[] = ["http", "https", "h2c", "h2"];
const EXPRESS_TRANSPORTS: readonly Transport[] = ["http", "https"];

function answering(middleware: SecurityHeadersMiddleware): Listener {
  return (request, response: ServerResponse) => {
    middleware(request as IncomingMessage, response, (error) => {
      response.end(error === undefined ? cspNonce(response) : (error as HeadersError).code);
    });
  };
}

function nonceIn(policy: unknown): string | undefined {
  return /'nonce-([^']+)'/.exec(String(policy))?.[1];
}

for (const transport of TRANSPORTS) {
  describe(`securityHeaders() over ${transport}`, () => {
    const secure = transport === "https" || transport === "h2";

    it("sets the compiled headers", async () => {
      const [reply] = await askListener(transport, answering(securityHeaders({ preset: "api" })));
      const fields = compileSecurityHeaders({ preset: "api" }).fields({ secure });
      expect(reply?.headers).to.include(byName(fields));
    });

    it(secure ? "sends HSTS" : "sends no HSTS, whatever the request claims", async () => {
      const claims = {
        "x-forwarded-proto": "https",
        forwarded: "proto=https",
        "x-forwarded-ssl": "on",
      };
      const [reply] = await askListener(transport, answering(securityHeaders()), [claims]);
      expect(reply?.headers["strict-transport-security"]).to.equal(
        secure ? "max-age=63072000; includeSubDomains" : undefined,
      );
      expect(String(reply?.headers["content-security-policy"]).includes("upgrade")).to.equal(
        secure,
      );
    });

    it("gives each response a fresh nonce, the same in header and accessor", async () => {
      const replies = await askListener(transport, answering(securityHeaders()), [{}, {}, {}]);
      const nonces = replies.map(({ headers }) => nonceIn(headers["content-security-policy"]));
      expect(nonces).to.deep.equal(replies.map(({ body }) => body));
      expect(new Set(nonces).size).to.equal(3);
      expect(nonces[0]).to.match(/^[\w-]{24}$/);
    });
  });
}

for (const transport of EXPRESS_TRANSPORTS) {
  describe(`securityHeaders() in Express 5 over ${transport}`, () => {
    it("shows the header's nonce in res.locals and through the accessor", async () => {
      const app = express();
      app.use(securityHeaders());
      app.get("/", (_request, response) => {
        response.json([response.locals["cspNonce"], cspNonce(response)]);
      });
      const [reply] = await askListener(transport, app);
      const nonce = nonceIn(reply?.headers["content-security-policy"]);
      expect(JSON.parse(reply?.body ?? "")).to.deep.equal([nonce, nonce]);
    });

    it("removes X-Powered-By, and leaves it when told to", async () => {
      for (const [xPoweredBy, expected] of [
        [true, undefined],
        [false, "Express"],
      ] as const) {
        const app = express();
        app.use(securityHeaders({ xPoweredBy }));
        const [reply] = await askListener(transport, app);
        expect(reply?.headers["x-powered-by"]).to.equal(expected);
      }
    });

    it("leaves its headers on the 404 and 500 of Express, with the stricter policy of those", async () => {
      const app = express();
      app.use(securityHeaders());
      app.get("/", () => {
        throw Object.assign(new Error("broken"), { status: 503 });
      });
      app.set("env", "test");
      const [reply] = await askListener(transport, app);
      expect(reply?.status).to.equal(503);
      expect(reply?.headers).to.include({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "content-security-policy": "default-src 'none'",
      });
    });
  });
}

async function hstsOf(trustProxy: boolean, claim: string): Promise<string | undefined> {
  const app = express();
  app.set("trust proxy", trustProxy);
  app.use(securityHeaders());
  const [reply] = await askListener("http", app, [{ "x-forwarded-proto": claim }]);
  return reply?.headers["strict-transport-security"];
}

describe("securityHeaders() behind a proxy", () => {
  it("believes a proxy that Express is told to trust", async () => {
    expect(await hstsOf(true, "https")).to.equal("max-age=63072000; includeSubDomains");
    expect(await hstsOf(true, "http")).to.equal(undefined);
  });

  it("believes no other", async () => {
    expect(await hstsOf(false, "https")).to.equal(undefined);
  });
});

describe("securityHeaders() mounted twice", () => {
  it("keeps the nonce a page may contain and lets the later policy win", async () => {
    const app = express();
    const nonces: string[] = [];
    app.use(securityHeaders(), (_request, response, next) => {
      nonces.push(cspNonce(response));
      next();
    });
    app.use(securityHeaders({ preset: "strict" }), (_request, response) => {
      nonces.push(cspNonce(response));
      response.end();
    });
    const [reply] = await askListener("http", app);
    const policy = reply?.headers["content-security-policy"];
    expect(policy).to.match(/^default-src 'none'/);
    expect(nonces).to.deep.equal([nonceIn(policy), nonceIn(policy)]);
  });
});

/** Resolves with what the middleware does for a response whose connection is gone. */
function outcomeAfterClose(server: EventEmitter): Promise<string> {
  const middleware = securityHeaders();
  return new Promise((resolve, reject) => {
    server.once("request", (incoming: IncomingMessage, response: ServerResponse) => {
      response.once("close", () => {
        try {
          middleware(incoming, response, (error) => {
            resolve(error === undefined ? "next()" : (error as HeadersError).code);
          });
        } catch (error) {
          reject(error);
        }
      });
    });
  });
}

describe("securityHeaders() too late", () => {
  it("reports a response that has begun instead of throwing", async () => {
    const [reply] = await askListener("http", (incoming, response: ServerResponse) => {
      response.write("begun,");
      securityHeaders()(incoming as IncomingMessage, response, (error) => {
        response.end((error as HeadersError).code);
      });
    });
    expect(reply?.body).to.equal("begun,ERR_HEADERS_ALREADY_SENT");
  });

  it("throws nothing for a client that has left", async () => {
    const server = createServer();
    const outcome = outcomeAfterClose(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = requestHttp({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
    client.on("error", () => undefined);
    client.end();
    server.once("request", () => client.destroy());
    expect(await outcome).to.equal("next()");
    server.close();
  });

  it("throws nothing for an HTTP/2 client that has left", async () => {
    const server = createHttp2Server();
    const outcome = outcomeAfterClose(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const stream = session.request({});
    stream.on("error", () => undefined);
    server.once("request", () => session.destroy());
    expect(await outcome).to.be.oneOf(["next()", "ERR_HEADERS_ALREADY_SENT"]);
    server.close();
  });
});

describe("securityHeadersMiddleware", () => {
  it("has its name in stack traces", () => {
    expect(securityHeaders().name).to.equal("securityHeadersMiddleware");
  });
});
