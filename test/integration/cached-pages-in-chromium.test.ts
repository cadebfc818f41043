import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { cspNonce, nonceGuard, securityHeaders } from "@hauberk/headers";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { launchChromium, type Chromium, type Page } from "../support/chromium.ts";
import { requireProgram } from "../support/external.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const ETAG = '"always-the-same"';

/** A page with the nonce of its response, which its application takes for cacheable. */
function servePage(isGuarded: boolean): Server {
  const secure = securityHeaders({ preset: "strict" });
  const guard = nonceGuard();
  return createServer((request, response) => {
    secure(request, response, () => {
      const answer = (): void => {
        const headers = { "cache-control": "no-cache", etag: ETAG, "content-type": "text/html" };
        if (request.headers["if-none-match"] === ETAG) response.writeHead(304, headers).end();
        else {
          const page = `<!doctype html><title>blocked</title><link rel=icon href="data:,">
            <body><script nonce=${cspNonce(response)}>document.title = "ran"</script></body>`;
          response.writeHead(200, headers).end(page);
        }
      };
      if (isGuarded) guard(request, response, answer);
      else answer();
    });
  });
}

describe("a page with a nonce in Chromium", function () {
  this.timeout(15_000);
  const servers = { guarded: servePage(true), unguarded: servePage(false) };
  let browser: Chromium;

  before(async function () {
    browser = launchChromium(requireProgram(this, "chromium"), tempDirectory());
    for (const server of Object.values(servers)) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
  });

  after(async () => {
    await browser.close();
    for (const server of Object.values(servers)) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function visitTwice(server: Server): Promise<{ page: Page; titles: unknown[] }> {
    const page = await browser.openPage();
    const titles: unknown[] = [];
    for (let visit = 0; visit < 2; visit++) {
      await page.visit(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      titles.push(await page.evaluate("document.title"));
      await page.visit("about:blank");
    }
    return { page, titles };
  }

  it("runs at the second visit as at the first behind nonceGuard()", async () => {
    const { page, titles } = await visitTwice(servers.guarded);
    expect(titles).to.deep.equal(["ran", "ran"]);
    expect(page.complaints).to.deep.equal([]);
  });

  it("is blocked at the second visit without it: the 304 brings another nonce", async () => {
    const { titles } = await visitTwice(servers.unguarded);
    expect(titles).to.deep.equal(["ran", "blocked"]);
  });
});
