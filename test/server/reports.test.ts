import { memoryReportStore } from "@hauberk/headers/reports";
import type { ServerConfig, ServerEvent } from "@hauberk/server";
import { expect } from "chai";
import express from "express";
import { afterEach, describe, it } from "mocha";
import { cspReport } from "../support/collector-server.ts";
import { fetchFrom, PROTOCOLS, type Sent } from "../support/http-client.ts";
import { rejection } from "../support/rejection.ts";
import { runServer, type RunningServer } from "../support/running-server.ts";
import { reportEntry } from "../support/report-entries.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const folder = tempDirectory();
const open: RunningServer[] = [];

async function serve(config: Partial<ServerConfig>): Promise<RunningServer> {
  const server = await runServer({ root: folder, httpPort: false, ...config });
  open.push(server);
  return server;
}

function report({ port }: RunningServer, origin = `https://127.0.0.1:${port}`): Sent {
  return {
    method: "POST",
    headers: { "content-type": "application/reports+json" },
    body: JSON.stringify([cspReport(origin)]),
  };
}

describe("reports of the server", () => {
  afterEach(async () => {
    for (const server of open.splice(0)) await server.close();
  });

  it("are asked for in every policy, by both mechanisms", async () => {
    const { headers } = await fetchFrom(await serve({ reports: true }), "HTTP/1.1", "/none");
    expect(headers["reporting-endpoints"]).to.equal(
      'csp="/.well-known/reports/csp", default="/.well-known/reports/default"',
    );
    expect(headers["content-security-policy"])
      .to.include("report-uri /.well-known/reports/csp")
      .and.include("report-to csp");
  });

  it("leave alone what the headers say about reporting", async () => {
    const contentSecurityPolicy = { directives: { "report-uri": ["https://reports.example/csp"] } };
    const server = await serve({ reports: true, headers: { contentSecurityPolicy } });
    const { headers } = await fetchFrom(server, "HTTP/1.1", "/none");
    expect(headers["content-security-policy"])
      .to.include("report-uri https://reports.example/csp")
      .and.not.include("report-uri /");
  });

  for (const protocol of PROTOCOLS) {
    it(`are taken and shown over ${protocol}, without and with an application`, async () => {
      for (const app of [undefined, express()]) {
        const server = await serve({
          reports: { minReporters: 1 },
          ...(app !== undefined && { app }),
        });
        const taken = await fetchFrom(server, protocol, "/.well-known/reports/csp", report(server));
        expect(taken.status).to.equal(204);
        const page = await fetchFrom(server, protocol, "/.well-known/reports/");
        expect(page.status).to.equal(200);
        expect(page.text).to.include("https://cdn.example/logo.png");
        expect(page.text).to.include("<ins>+   https://cdn.example</ins>");
        expect(page.headers["content-security-policy"]).to.match(/^default-src 'none'; style-src /);
        expect(page.headers).to.not.have.property("reporting-endpoints");
        expect(page.headers["strict-transport-security"]).to.be.a("string");
      }
    });

    it(`refuse 10 MB over ${protocol}`, async () => {
      const server = await serve({ reports: true });
      const { headers } = report(server);
      const sent = { method: "POST", headers: headers ?? {}, body: Buffer.alloc(10_000_000, "[") };
      const outcome = await fetchFrom(server, protocol, "/.well-known/reports/csp", sent).then(
        ({ status }) => status,
        (error: NodeJS.ErrnoException) => error.code,
      );
      // Over HTTP/1.1 the connection may be gone before the answer has been read.
      expect(outcome).to.be.oneOf(protocol === "HTTP/2" ? [413] : [413, "EPIPE", "ECONNRESET"]);
    });
  }

  it("go into the store that is given, one entry for HTTP/1.1 and HTTP/2 clients alike", async () => {
    const store = memoryReportStore();
    const server = await serve({ reports: { store } });
    for (const protocol of PROTOCOLS) {
      await fetchFrom(server, protocol, "/.well-known/reports/csp", report(server));
    }
    const [entry] = store.entries();
    expect(entry?.count).to.equal(2);
    expect(entry?.reporters).to.have.lengthOf(1);
  });

  it("of one client are limited to 60 bodies a minute", async () => {
    const server = await serve({ reports: true, clock: () => 0 });
    const statuses: number[] = [];
    for (let sent = 0; sent < 62; sent++) {
      const { status } = await fetchFrom(
        server,
        "HTTP/1.1",
        "/.well-known/reports/csp",
        report(server),
      );
      statuses.push(status);
    }
    expect(statuses.filter((status) => status === 204)).to.have.lengthOf(60);
    expect(statuses.slice(60)).to.deep.equal([429, 429]);
  });

  it("are shown to whoever has the token, and to nobody else", async () => {
    const token = "a-token-of-24-characters";
    const server = await serve({ reports: { token } });
    const path = "/.well-known/reports/";
    expect((await fetchFrom(server, "HTTP/2", path)).status).to.equal(401);
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetchFrom(server, "HTTP/2", path, { headers })).status).to.equal(200);
  });

  it("that cannot be kept are an event, and 503 for the browser", async () => {
    const events: ServerEvent[] = [];
    const failure = new Error("disk full");
    const store = { ...memoryReportStore(), add: () => Promise.reject(failure) };
    const server = await serve({ reports: { store }, onEvent: (event) => events.push(event) });
    const { status } = await fetchFrom(
      server,
      "HTTP/1.1",
      "/.well-known/reports/csp",
      report(server),
    );
    expect(status).to.equal(503);
    expect(events).to.deep.equal([{ kind: "reports-lost", error: failure }]);
  });

  it("never change a policy by themselves", async () => {
    const store = memoryReportStore();
    const server = await serve({ reports: { store } });
    const before = await fetchFrom(server, "HTTP/1.1", "/none");
    store.add([reportEntry({ count: 1e6, reporters: ["a", "b", "c", "d"] })]);
    await fetchFrom(server, "HTTP/1.1", "/.well-known/reports/");
    const after = await fetchFrom(server, "HTTP/1.1", "/none");
    expect(after.headers["content-security-policy"]).to.equal(
      before.headers["content-security-policy"],
    );
  });

  it("are no business of a server that was not asked to take them", async () => {
    const server = await serve({});
    const { status } = await fetchFrom(
      server,
      "HTTP/1.1",
      "/.well-known/reports/csp",
      report(server),
    );
    expect(status).to.equal(405);
    const { headers } = await fetchFrom(server, "HTTP/1.1", "/none");
    expect(headers).to.not.have.property("reporting-endpoints");
  });

  for (const [reports, message] of [
    [{ tokn: "x" }, /reports\.tokn.*did you mean "token"/],
    [{ token: "short" }, /option "reports": page\.token/],
    [{ store: {} }, /option "reports": store/],
    [{ minReporters: 0 }, /option "reports": page\.minReporters/],
  ] as const) {
    it(`refuse ${JSON.stringify(reports)}`, async () => {
      const error = await rejection(runServer({ root: folder, reports: reports as object }));
      expect(error.message).to.match(message);
    });
  }
});

describe("a page of the application with a nonce", () => {
  afterEach(async () => {
    for (const server of open.splice(0)) await server.close();
  });

  for (const protocol of PROTOCOLS) {
    it(`is not stored by caches, and the event names it (${protocol})`, async () => {
      const app = express();
      app.get("/page", (_request, response) => {
        const nonce: string = response.locals["cspNonce"] as string;
        response
          .set("Cache-Control", "public, max-age=60")
          .send(`<script nonce=${nonce}></script>`);
      });
      app.get("/data", (_request, response) => {
        response.set("Cache-Control", "public, max-age=60").json({});
      });
      const events: ServerEvent[] = [];
      const server = await serve({ app, onEvent: (event) => events.push(event) });
      const page = await fetchFrom(server, protocol, "/page?secret=1");
      expect(page.headers["cache-control"]).to.equal("no-store");
      expect(page.headers).to.not.have.property("etag");
      const data = await fetchFrom(server, protocol, "/data");
      expect(data.headers["cache-control"]).to.equal("public, max-age=60");
      expect(data.headers.etag).to.be.a("string");
      expect(events.map(({ kind, error }) => [kind, (error as Error).message])).to.deep.equal([
        [
          "page-was-cacheable",
          "The page /page contains a nonce, but asked for Cache-Control: public, max-age=60",
        ],
      ]);
    });
  }
});
