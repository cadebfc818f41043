import type { IncomingMessage, ServerResponse } from "node:http";
import { clearSiteData, noStore, type SecurityHeadersMiddleware } from "@hauberk/headers";
import { expect } from "chai";
import { describe, it } from "mocha";
import { askListener, type Transport } from "../support/one-listener.ts";

async function header(
  transport: Transport,
  middleware: SecurityHeadersMiddleware,
  name: string,
): Promise<unknown> {
  const [reply] = await askListener(
    transport,
    (request: IncomingMessage, response: ServerResponse) => {
      middleware(request, response, () => response.end());
    },
  );
  return reply?.headers[name];
}

describe("clearSiteData()", () => {
  it("tells browsers to forget cookies, storage and cache over TLS", async () => {
    for (const transport of ["https", "h2"] as const) {
      expect(await header(transport, clearSiteData(), "clear-site-data")).to.equal(
        '"cookies", "storage", "cache"',
      );
    }
  });

  it("sends nothing over plain HTTP, where browsers ignore it", async () => {
    for (const transport of ["http", "h2c"] as const) {
      expect(await header(transport, clearSiteData(), "clear-site-data")).to.equal(undefined);
    }
  });

  it("sends what is asked for, in quotes", async () => {
    expect(await header("https", clearSiteData(["*"]), "clear-site-data")).to.equal('"*"');
  });

  it("refuses an unknown type and an empty list", () => {
    expect(() => clearSiteData(["cookie" as never])).to.throw(TypeError, /did you mean "cookies"/);
    expect(() => clearSiteData([])).to.throw(TypeError, /list of types/);
  });
});

describe("noStore()", () => {
  it("keeps a page out of every cache", async () => {
    expect(await header("http", noStore(), "cache-control")).to.equal("no-store");
  });

  it("leaves the last word to the route", async () => {
    const middleware = noStore();
    const [reply] = await askListener(
      "http",
      (request: IncomingMessage, response: ServerResponse) => {
        middleware(request, response, () => {
          response.setHeader("cache-control", "private");
          response.end();
        });
      },
    );
    expect(reply?.headers["cache-control"]).to.equal("private");
  });
});
