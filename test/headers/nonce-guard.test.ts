import type { ServerResponse } from "node:http";
import { cspNonce, nonceGuard, securityHeaders, type NonceGuardEvent } from "@hauberk/headers";
import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import {
  HOSTS,
  serveMiddleware,
  type Host,
  type Middleware,
  type MiddlewareServer,
  type Reply,
} from "../support/middleware-server.ts";

const open: MiddlewareServer[] = [];

interface Guarded extends Reply {
  readonly events: readonly NonceGuardEvent[];
}

async function ask(host: Host, answer: Middleware): Promise<Guarded> {
  const events: NonceGuardEvent[] = [];
  const guard = nonceGuard({ onEvent: (event) => events.push(event) });
  const server = await serveMiddleware(host, securityHeaders(), guard, answer);
  open.push(server);
  const reply = await server.ask();
  return { ...reply, events };
}

/** Ends a response, of whichever protocol, after its handler read the nonce. */
function page(write: (response: ServerResponse) => void): Middleware {
  return (_request, response) => {
    cspNonce(response);
    write(response as ServerResponse);
  };
}

describe("nonceGuard()", () => {
  afterEach(() => {
    for (const server of open.splice(0)) server.close();
  });

  for (const host of HOSTS) {
    it(`forbids storing a page with a nonce and drops its validators (${host})`, async () => {
      const { headers, events } = await ask(
        host,
        page((response) => {
          response.setHeader("cache-control", "public, max-age=60");
          response.setHeader("etag", '"1"');
          response.setHeader("last-modified", "Sun, 22 Nov 2026 00:00:00 GMT");
          response.setHeader("expires", "Sun, 22 Nov 2026 01:00:00 GMT");
          response.end("page");
        }),
      );
      expect(headers["cache-control"]).to.equal("no-store");
      expect(headers).to.not.have.any.keys("etag", "last-modified", "expires");
      expect(events).to.deep.equal([
        { kind: "storing-refused", path: "/", cacheControl: "public, max-age=60" },
      ]);
    });

    it(`sees what is given to writeHead, as an object and as a list (${host})`, async () => {
      const asObject = await ask(
        host,
        page((response) => {
          response.writeHead(200, { "Cache-Control": "max-age=60", ETag: '"1"' }).end("page");
        }),
      );
      const asList = await ask(
        host,
        page((response) => {
          response.writeHead(200, [
            "Cache-Control",
            "max-age=60",
            "Set-Cookie",
            "a=1",
            "Set-Cookie",
            "b=2",
          ]);
          response.end("page");
        }),
      );
      expect(asObject.headers["cache-control"]).to.equal("no-store");
      expect(asObject.headers).to.not.have.property("etag");
      expect(asList.headers["cache-control"]).to.equal("no-store");
      expect(asList.headers["set-cookie"]).to.deep.equal(["a=1", "b=2"]);
    });

    it(`withholds a policy with a fresh nonce from a 304 (${host})`, async () => {
      const { status, headers, events } = await ask(
        host,
        page((response) => {
          response.writeHead(304).end();
        }),
      );
      expect(status).to.equal(304);
      expect(headers).to.not.have.property("content-security-policy");
      expect(headers["x-content-type-options"]).to.equal("nosniff");
      expect(events.map(({ kind }) => kind)).to.deep.equal(["policy-withheld"]);
    });

    it(`lets a response that never reads its nonce be cached (${host})`, async () => {
      const { headers, events } = await ask(host, (_request, response) => {
        response.setHeader("cache-control", "max-age=60");
        response.setHeader("etag", '"1"');
        (response as ServerResponse).end("file");
      });
      expect(headers["cache-control"]).to.equal("max-age=60");
      expect(headers["etag"]).to.equal('"1"');
      expect(headers["content-security-policy"]).to.include("'nonce-");
      expect(events).to.deep.equal([]);
    });
  }

  it("says nothing where the application forbade storing or left it open", async () => {
    const forbidden = await ask(
      "node:http",
      page((response) => {
        response.setHeader("cache-control", "private, no-store");
        response.end("page");
      }),
    );
    const silent = await ask(
      "node:http",
      page((response) => {
        response.end("page");
      }),
    );
    expect(forbidden.headers["cache-control"]).to.equal("private, no-store");
    expect(silent.headers["cache-control"]).to.equal("no-store");
    expect([...forbidden.events, ...silent.events]).to.deep.equal([]);
  });

  it("knows of a nonce that a template took from res.locals of Express", async () => {
    const { headers, body } = await ask("Express 5", (_request, response) => {
      const expressResponse = response as unknown as {
        readonly locals: { readonly cspNonce: string };
        send(text: string): void;
      };
      expressResponse.send({ ...expressResponse.locals }.cspNonce);
    });
    expect(headers["cache-control"]).to.equal("no-store");
    expect(headers).to.not.have.property("etag");
    expect(headers["content-security-policy"]).to.include(`'nonce-${body}'`);
  });

  it("refuses unknown options and a listener that is none", () => {
    expect(() => nonceGuard({ onevent: () => undefined } as object)).to.throw(TypeError, /onEvent/);
    expect(() => nonceGuard({ onEvent: "log" as never })).to.throw(TypeError, /onEvent/);
  });
});
