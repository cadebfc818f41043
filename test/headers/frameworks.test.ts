import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { compileSecurityHeaders, type SecurityHeadersOptions } from "@hauberk/headers";
import { expect } from "chai";
import { fastify, type FastifyInstance } from "fastify";
import { Hono, type MiddlewareHandler } from "hono";
import Koa from "koa";
import { describe, it } from "mocha";
import { importFromGuide } from "../support/guide-modules.ts";
import { byName } from "../support/header-fields.ts";

const GUIDE = "docs/guides/other-frameworks.md";
const OPTIONS: SecurityHeadersOptions = { preset: "strict", xDownloadOptions: true };

interface Adapter<App> {
  readonly addSecurityHeaders: (app: App, options: SecurityHeadersOptions) => void;
}
interface HonoAdapter {
  readonly securityHeaders: (options: SecurityHeadersOptions) => MiddlewareHandler;
}

/** Expects the headers of the options, with one nonce, which is the one in the page. */
function expectHeaders(headers: Headers, secure: boolean, page?: string): void {
  const policy = headers.get("content-security-policy") ?? "";
  const nonce = /'nonce-([\w-]{24})'/.exec(policy)?.[1] ?? "";
  const expected = byName(compileSecurityHeaders(OPTIONS).fieldsWithNonce({ secure, nonce }));
  for (const [name, value] of Object.entries(expected)) expect(headers.get(name)).to.equal(value);
  if (page !== undefined) expect(page).to.equal(nonce);
}

describe("Fastify with the adapter of the guide", () => {
  async function app(): Promise<FastifyInstance> {
    const { addSecurityHeaders } = (await importFromGuide(
      GUIDE,
      "fastify",
    )) as Adapter<FastifyInstance>;
    const server = fastify();
    addSecurityHeaders(server, OPTIONS);
    server.get("/", (_request, reply) =>
      reply.send((reply as unknown as { cspNonce: string }).cspNonce),
    );
    server.get("/throws", () => {
      throw new Error("sorry");
    });
    await server.listen({ host: "127.0.0.1", port: 0 });
    return server;
  }

  for (const [path, status] of [
    ["/", 200],
    ["/throws", 500],
    ["/missing", 404],
  ] as const) {
    it(`sets the headers of ${path} (${status})`, async () => {
      const server = await app();
      try {
        const { port } = server.server.address() as AddressInfo;
        const reply = await fetch(`http://127.0.0.1:${port}${path}`);
        expect(reply.status).to.equal(status);
        expectHeaders(reply.headers, false, status === 200 ? await reply.text() : undefined);
      } finally {
        await server.close();
      }
    });
  }
});

describe("Koa with the adapter of the guide", () => {
  async function ask(path: string): Promise<Response> {
    const { addSecurityHeaders } = (await importFromGuide(GUIDE, "koa")) as Adapter<Koa>;
    const app = new Koa();
    app.silent = true;
    addSecurityHeaders(app, OPTIONS);
    app.use((context) => {
      if (context.path === "/throws") throw new Error("sorry");
      if (context.path === "/refused") context.throw(403, "no entry");
      if (context.path === "/") context.body = String(context.state["cspNonce"]);
    });
    const server: Server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
    const reply = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    server.close();
    return reply;
  }

  for (const [path, status, body] of [
    ["/throws", 500, "Internal Server Error"],
    ["/refused", 403, "no entry"],
    ["/missing", 404, "Not Found"],
  ] as const) {
    it(`sets the headers of ${path} (${status})`, async () => {
      const reply = await ask(path);
      expect(reply.status).to.equal(status);
      expectHeaders(reply.headers, false);
      expect(await reply.text()).to.equal(body);
    });
  }

  it("shows the nonce in the state that templates see", async () => {
    const reply = await ask("/");
    expectHeaders(reply.headers, false, await reply.text());
  });
});

describe("Hono with the adapter of the guide", () => {
  async function app(): Promise<Hono> {
    const { securityHeaders } = (await importFromGuide(GUIDE, "hono")) as HonoAdapter;
    const hono = new Hono();
    hono.use(securityHeaders(OPTIONS));
    hono.get("/", (context) => context.text(String(context.get("cspNonce" as never))));
    hono.get("/throws", () => {
      throw new Error("sorry");
    });
    hono.onError((_error, context) => context.text("sorry", 500));
    return hono;
  }

  for (const [path, status] of [
    ["/", 200],
    ["/throws", 500],
    ["/missing", 404],
  ] as const) {
    for (const scheme of ["http", "https"]) {
      it(`sets the headers of ${path} (${status}) over ${scheme}`, async () => {
        const reply = await (await app()).request(`${scheme}://a.example${path}`);
        expect(reply.status).to.equal(status);
        const page = status === 200 ? await reply.text() : undefined;
        expectHeaders(reply.headers, scheme === "https", page);
      });
    }
  }

  it("gives each response a nonce of its own", async () => {
    const hono = await app();
    const nonces = await Promise.all(
      [1, 2, 3].map(async () => (await hono.request("http://a.example/")).text()),
    );
    expect(new Set(nonces).size).to.equal(3);
  });
});
