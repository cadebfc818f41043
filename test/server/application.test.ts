import type { IncomingMessage, ServerResponse } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import express, { type Express } from "express";
import { after, before, describe, it } from "mocha";
import type { ServerEvent } from "@hauberk/server";
import { fetchFrom, PROTOCOLS, type Received, type Sent } from "../support/http-client.ts";
import { type RunningServer, runServer } from "../support/running-server.ts";
import { tempDirectory } from "../support/temp-directory.ts";

function expressApplication(file: string): Express {
  const app = express();
  app.set("env", "test");
  app.use(express.json());
  app.get("/send", (request, response) => {
    response.send(`${request.hostname} ${request.protocol} ${request.secure} ${request.path}`);
  });
  app.get("/json", (_request, response) => {
    response.json({ a: 1 });
  });
  app.get("/redirect", (_request, response) => {
    response.redirect("/send");
  });
  app.get("/cookie", (_request, response) => {
    response.cookie("a", "b", { httpOnly: true }).cookie("c", "d").send("ok");
  });
  app.get("/file", (_request, response) => {
    response.sendFile(file);
  });
  app.post("/body", (request, response) => {
    response.json({ got: request.body as unknown });
  });
  app.get("/nonce", (_request, response) => {
    response.send(String(response.locals["cspNonce"]));
  });
  app.get("/throw", () => {
    throw new Error("broken on purpose");
  });
  app.get("/reject", async () => {
    await Promise.resolve();
    throw new Error("broken on purpose");
  });
  app.get("/late", (_request, response) => {
    response.write("begun");
    setImmediate(() => response.end(" done"));
  });
  const sub = express();
  sub.get("/x", (request, response) => {
    response.json({ base: request.baseUrl, ip: typeof request.ip });
  });
  app.use("/sub", sub);
  app.use("/router", express.Router().use(sub));
  return app;
}

for (const protocol of PROTOCOLS) {
  describe(`an Express application over ${protocol}`, () => {
    const folder = tempDirectory();
    let server: RunningServer;
    const get = (path: string, sent?: Sent): Promise<Received> =>
      fetchFrom(server, protocol, path, sent);
    before(async () => {
      writeFileSync(join(folder, "static.txt"), "static");
      server = await runServer({
        root: folder,
        app: expressApplication(join(folder, "static.txt")),
      });
    });
    after(() => server.close());

    it("sends text, knowing host, scheme and path", async () => {
      const { status, text, headers } = await get("/send?x=1", { headers: {} });
      expect([status, text]).to.deep.equal([200, "127.0.0.1 https true /send"]);
      expect(headers["x-content-type-options"]).to.equal("nosniff");
      expect(headers["x-powered-by"]).to.equal(undefined);
    });

    it("sends JSON, redirects and cookies", async () => {
      expect((await get("/json")).text).to.equal('{"a":1}');
      const redirect = await get("/redirect");
      expect([redirect.status, redirect.headers.location]).to.deep.equal([302, "/send"]);
      expect((await get("/cookie")).headers["set-cookie"]).to.deep.equal([
        "a=b; Path=/; HttpOnly",
        "c=d; Path=/",
      ]);
    });

    it("sends a file, a range of it, and 304", async () => {
      const { text, headers } = await get("/file");
      expect(text).to.equal("static");
      expect((await get("/file", { headers: { range: "bytes=0-1" } })).text).to.equal("st");
      const again = await get("/file", { headers: { "if-none-match": headers.etag ?? "" } });
      expect(again.status).to.equal(304);
      expect((await get("/file", { method: "HEAD" })).headers["content-length"]).to.equal("6");
    });

    it("reads a body with and without Content-Length", async () => {
      const body = '{"z":2}';
      const type = { "content-type": "application/json" };
      const known = { ...type, "content-length": String(body.length) };
      for (const headers of [type, known]) {
        const { text } = await get("/body", { method: "POST", headers, body });
        expect(text).to.equal('{"got":{"z":2}}');
      }
      const broken = await get("/body", { method: "POST", headers: type, body: "{" });
      expect(broken.status).to.equal(400);
    });

    it("answers errors and 404 as Express does, with security headers", async () => {
      for (const [path, status] of [
        ["/throw", 500],
        ["/reject", 500],
        ["/none", 404],
      ] as const) {
        const answer = await get(path);
        expect(answer.status, path).to.equal(status);
        expect(answer.headers["x-content-type-options"], path).to.equal("nosniff");
        expect(answer.headers["content-security-policy"], path).to.be.a("string");
      }
    });

    it("runs applications and routers mounted inside", async () => {
      expect((await get("/sub/x")).text).to.equal('{"base":"/sub","ip":"string"}');
      expect((await get("/router/x")).text).to.equal('{"base":"/router","ip":"string"}');
      expect((await get("/sub/none")).status).to.equal(404);
    });

    it("streams a response", async () => {
      expect((await get("/late")).text).to.equal("begun done");
    });

    it("gives every response a nonce of its own that its policy names", async () => {
      const [first, second] = [await get("/nonce"), await get("/nonce")];
      expect(first.text).to.match(/^[\w+/-]{22,}={0,2}$/);
      expect(first.text).to.not.equal(second.text);
      expect(first.headers["content-security-policy"]).to.include(`'nonce-${first.text}'`);
    });

    it("is asked only for what the folder does not have", async () => {
      expect((await get("/static.txt")).text).to.equal("static");
      expect((await get("/static.txt", { method: "DELETE" })).status).to.equal(404);
    });
  });

  describe(`a listener that fails over ${protocol}`, () => {
    const events: ServerEvent[] = [];
    let server: RunningServer;
    before(async () => {
      server = await runServer({
        app: failingListener,
        onEvent: (event) => events.push(event),
      });
    });
    after(() => server.close());

    it("is answered with 500, reported, and the server lives", async () => {
      for (const path of ["/throw", "/reject"]) {
        const answer = await fetchFrom(server, protocol, path);
        expect(answer.status, path).to.equal(500);
        expect(answer.text).to.not.include("purpose");
        expect(answer.headers["x-content-type-options"]).to.equal("nosniff");
      }
      expect(events.map(({ kind }) => kind)).to.deep.equal([
        "application-failed",
        "application-failed",
      ]);
      expect((await fetchFrom(server, protocol, "/fine")).text).to.equal("fine");
    });

    it("ends a response that had begun, so that nobody takes it for complete", async () => {
      const outcome = await fetchFrom(server, protocol, "/begun").then(
        () => "complete",
        () => "broken",
      );
      expect(outcome).to.equal("broken");
    });
  });
}

function failingListener(request: IncomingMessage, response: ServerResponse): unknown {
  switch (request.url ?? "") {
    case "/throw":
      throw new Error("broken on purpose");
    case "/reject":
      return Promise.reject(new Error("broken on purpose"));
    case "/begun":
      response.writeHead(200, { "content-length": "100" });
      response.write("part");
      return new Promise((_resolve, reject) => {
        setImmediate(() => {
          reject(new Error("broken on purpose"));
        });
      });
    default:
      return response.end("fine");
  }
}

describe("an application that answers as a proxy would", () => {
  it("may set fields of the connection, which HTTP/2 does not get", async () => {
    const server = await runServer({
      app: (_request, response) => {
        response.setHeader("Transfer-Encoding", "chunked");
        response.setHeader("Connection", "close");
        response.end("proxied");
      },
    });
    try {
      const { status, text, headers } = await fetchFrom(server, "HTTP/2", "/");
      expect([status, text, headers.connection]).to.deep.equal([200, "proxied", undefined]);
      expect((await fetchFrom(server, "HTTP/1.1", "/")).text).to.equal("proxied");
    } finally {
      await server.close();
    }
  });
});

describe("a listener for events that throws", () => {
  it("costs a warning, not the process", async () => {
    const warnings: Error[] = [];
    const remember = (warning: Error): void => void warnings.push(warning);
    process.on("warning", remember);
    const server = await runServer({
      app: () => Promise.reject(new Error("application")),
      onEvent: () => {
        throw new Error("listener");
      },
    });
    try {
      expect((await fetchFrom(server, "HTTP/1.1", "/")).status).to.equal(500);
      expect(warnings.map(({ message }) => message)).to.include("listener");
    } finally {
      process.off("warning", remember);
      await server.close();
    }
  });
});

describe("an application and clients that leave", () => {
  it("survives aborted HTTP/2 requests", async () => {
    const server = await runServer({
      app: (request, response) => {
        request.on("error", () => undefined);
        setImmediate(() => response.end("late"));
      },
    });
    try {
      const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: server.ca });
      session.on("error", () => undefined);
      for (let index = 0; index < 20; index++) {
        const stream = session.request({ ":path": "/" });
        stream.on("error", () => undefined);
        stream.close(8);
      }
      session.destroy();
      expect((await fetchFrom(server, "HTTP/2", "/")).text).to.equal("late");
    } finally {
      await server.close();
    }
  });
});
