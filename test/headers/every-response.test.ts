import { once } from "node:events";
import {
  createServer,
  request as requestHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { compileSecurityHeaders, securityHeaders } from "@hauberk/headers";
import { expect } from "chai";
import type express from "express";
import { describe, it } from "mocha";
import { EXPRESS_VERSIONS } from "../support/express-versions.ts";
import { byName } from "../support/header-fields.ts";
import { askListener } from "../support/one-listener.ts";

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly raw: readonly string[];
  readonly body: string;
}

interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function ask(
  server: Server,
  { method = "GET", path = "/", headers = {}, body }: Ask,
): Promise<Answer> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const request = requestHttp({ host: "127.0.0.1", port, method, path, headers, agent: false });
    request.end(body);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      raw: response.rawHeaders,
      body: await text(response),
    };
  } finally {
    server.close();
  }
}

const OPTIONS = { preset: "strict" } as const;
const { "content-security-policy": POLICY = "", ...OTHERS } = byName(
  compileSecurityHeaders(OPTIONS).fields({ secure: false }),
);

function expectComplete(answer: Answer, policy: string | RegExp): void {
  for (const [name, value] of Object.entries(OTHERS)) expect(answer.headers[name]).to.equal(value);
  const names = answer.raw.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  expect(names, "no header comes twice").to.deep.equal([...new Set(names)]);
  if (typeof policy === "string")
    expect(answer.headers["content-security-policy"]).to.equal(policy);
  else expect(answer.headers["content-security-policy"]).to.match(policy);
}

const NONCED = /^default-src 'none';script-src 'nonce-[\w-]{24}' 'strict-dynamic';/;
/** finalhandler's own pages run no script at all. */
const CLOSED = "default-src 'none'";

function application(version: typeof express): Server {
  const app = version();
  // Elsewhere Express prints every error.
  app.set("env", "test");
  app.use(securityHeaders(OPTIONS));
  app.use(version.json({ limit: 10 }));
  app.get("/page", (_request, response) => response.send("<!doctype html>"));
  app.get("/redirect", (_request, response) => response.redirect(302, "/page"));
  app.get("/nothing", (_request, response) => response.status(204).end());
  app.get("/file", (_request, response) => response.sendFile(import.meta.filename));
  app.get("/list", (_request, response) => {
    response.writeHead(200, { "content-type": "text/plain", "X-Frame-Options": "SAMEORIGIN" });
    response.end();
  });
  app.get("/throws", () => {
    throw new Error("sorry");
  });
  app.post("/page", (_request, response) => response.send("posted"));
  return createServer(app);
}

for (const { name, express: version } of EXPRESS_VERSIONS) {
  describe(`under ${name} every response carries the headers`, () => {
    const cases: readonly [string, Ask, number, string | RegExp][] = [
      ["a page", { path: "/page" }, 200, NONCED],
      ["the answer to HEAD", { path: "/page", method: "HEAD" }, 200, NONCED],
      ["the answer to OPTIONS", { path: "/page", method: "OPTIONS" }, 200, NONCED],
      ["a redirect", { path: "/redirect" }, 302, NONCED],
      ["a 204", { path: "/nothing" }, 204, NONCED],
      ["a 206", { path: "/file", headers: { range: "bytes=0-3" } }, 206, NONCED],
      ["a 404, with the stricter policy of Express", { path: "/missing" }, 404, CLOSED],
      ["a 500 of a route that throws, likewise", { path: "/throws" }, 500, CLOSED],
      [
        "a 413 of the body parser, likewise",
        {
          path: "/page",
          method: "POST",
          body: JSON.stringify("too long for it"),
          headers: { "content-type": "application/json" },
        },
        413,
        CLOSED,
      ],
      [
        "a 400 of the body parser, likewise",
        {
          path: "/page",
          method: "POST",
          body: "{",
          headers: { "content-type": "application/json" },
        },
        400,
        CLOSED,
      ],
    ];
    for (const [what, sent, status, policy] of cases) {
      it(what, async () => {
        const answer = await ask(application(version), sent);
        expect(answer.status).to.equal(status);
        expectComplete(answer, policy);
        expect(answer.headers).to.not.have.property("x-powered-by");
      });
    }

    it("and one that a route gives to writeHead replaces ours, and does not double it", async () => {
      const { headers, raw } = await ask(application(version), { path: "/list" });
      expect(headers["x-frame-options"]).to.equal("SAMEORIGIN");
      expect(raw.filter((entry) => entry.toLowerCase() === "x-frame-options")).to.have.length(1);
      expect(headers["content-security-policy"]).to.match(NONCED);
    });

    it("and a Server header set before is gone, unless it is to stay", async () => {
      for (const [server, expected] of [
        [true, undefined],
        [false, "mine"],
      ] as const) {
        const app = version();
        app.use((_request, response, next) => {
          response.setHeader("Server", "mine");
          next();
        });
        app.use(securityHeaders({ server }));
        app.get("/", (_request, response) => response.end());
        expect((await ask(createServer(app), {})).headers.server).to.equal(expected);
      }
    });
  });
}

describe("under plain node:http every response carries the headers", () => {
  const setHeaders = securityHeaders(OPTIONS);
  const server = (answer: (response: ServerResponse) => void): Server =>
    createServer((request, response) => {
      setHeaders(request, response, () => {
        answer(response);
      });
    });

  for (const [what, status, answer] of [
    [
      "a 200 that is streamed",
      200,
      (response: ServerResponse) => {
        response.write("a");
        response.end("b");
      },
    ],
    [
      "headers given as a flat list",
      200,
      (response: ServerResponse) => response.writeHead(200, ["x-a", "b"]).end(),
    ],
    [
      "what follows early hints",
      200,
      (response: ServerResponse) => {
        response.writeEarlyHints({ link: "</a.css>; rel=preload" });
        response.end();
      },
    ],
  ] as const) {
    it(what, async () => {
      const reply = await ask(server(answer), {});
      expect(reply.status).to.equal(status);
      expectComplete(reply, NONCED);
    });
  }
});

describe("a policy that was there before", () => {
  for (const transport of ["http", "https", "h2c", "h2"] as const) {
    it(`is replaced, not joined by a second one, over ${transport}`, async () => {
      const setHeaders = securityHeaders({ preset: "api" });
      const [reply] = await askListener(
        transport,
        (request: IncomingMessage, response: ServerResponse) => {
          response.setHeader("Content-Security-Policy", "script-src *");
          setHeaders(request, response, () => response.end());
        },
      );
      const fields = compileSecurityHeaders({ preset: "api" }).fields({ secure: false });
      expect(reply?.headers["content-security-policy"]).to.equal(
        byName(fields)["content-security-policy"],
      );
    });
  }
});

describe("a response without a nonce", () => {
  it("is not given one by the list of images, redirects and errors", () => {
    expect(POLICY).to.not.include("nonce");
    expect(POLICY).to.include("script-src 'none'");
  });
});
