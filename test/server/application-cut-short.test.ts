import { connect as connectHttp2 } from "node:http2";
import { request as requestHttps } from "node:https";
import { expect } from "chai";
import express from "express";
import { after, before, describe, it } from "mocha";
import type { ServerEvent } from "@hauberk/server";
import { type Protocol, PROTOCOLS } from "../support/http-client.ts";
import { type RunningServer, runServer } from "../support/running-server.ts";

const LARGE = "a".repeat(300_000);

const app = express().set("env", "test");
app.get("/begun-then-next", (_request, response, next) => {
  response.write("begun", () => {
    next(new Error("broken on purpose"));
  });
});
app.get("/begun-then-destroy", (_request, response) => {
  response.write("begun", () => response.destroy());
});
app.get("/destroy", (_request, response) => {
  response.destroy();
});

/** Resolves with the content of a complete response, or with `"broken"` when the client can tell that it is not. */
function contentOf(server: RunningServer, protocol: Protocol, path: string): Promise<string> {
  return new Promise((resolve) => {
    const { port, ca } = server;
    let content = "";
    const onContent = (chunk: Buffer): void => void (content += chunk.toString());
    if (protocol === "HTTP/1.1") {
      const request = requestHttps({ host: "127.0.0.1", port, ca, path, agent: false });
      request.on("error", () => {
        resolve("broken");
      });
      request.on("response", (response) => {
        response.on("data", onContent);
        response.on("error", () => undefined);
        response.on("close", () => {
          resolve(response.complete ? content : "broken");
        });
      });
      request.end();
      return;
    }
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca });
    const stream = session.request({ ":path": path });
    stream.on("data", onContent);
    stream.on("error", () => undefined);
    stream.on("close", () => {
      session.destroy();
      resolve(stream.rstCode === 0 ? content : "broken");
    });
  });
}

for (const protocol of PROTOCOLS) {
  describe(`an application that fails late over ${protocol}`, () => {
    const events: ServerEvent[] = [];
    let server: RunningServer;
    before(async () => {
      server = await runServer({
        app: (request, response) => {
          if (request.url !== "/complete-then-throw") {
            app(request, response);
            return;
          }
          response.end(LARGE);
          throw new Error("broken on purpose");
        },
        onEvent: (event) => events.push(event),
      });
    });
    after(() => server.close());

    it("delivers a response that was complete before, and the failure is reported", async () => {
      const content = await contentOf(server, protocol, "/complete-then-throw");
      expect(content.length).to.equal(LARGE.length);
      expect(events.map(({ kind }) => kind)).to.deep.equal(["application-failed"]);
    });

    for (const path of ["/begun-then-next", "/begun-then-destroy", "/destroy"]) {
      it(`lets no client take ${path.slice(1)} for a complete response`, async () => {
        expect(await contentOf(server, protocol, path)).to.equal("broken");
      });
    }
  });
}
