import { connect as connectHttp2 } from "node:http2";
import { expect } from "chai";
import express from "express";
import { after, before, describe, it } from "mocha";
import type { Application } from "@hauberk/server";
import {
  fetchFrom,
  PROTOCOLS,
  requestOn,
  type Protocol,
  type Received,
} from "../support/http-client.ts";
import { type RunningServer, runServer } from "../support/running-server.ts";
import { tempDirectory } from "../support/temp-directory.ts";

function flood(server: RunningServer, protocol: Protocol): Promise<Received[]> {
  if (protocol === "HTTP/1.1") return floodSequentially(server);
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: server.ca });
  const requests = Array.from({ length: 200 }, () => requestOn(session, "/"));
  session.setMaxListeners(0);
  return Promise.all(requests).finally(() => {
    session.close();
  });
}

async function floodSequentially(server: RunningServer): Promise<Received[]> {
  const answers: Received[] = [];
  for (let batch = 0; batch < 10; batch++) {
    const requests = Array.from({ length: 20 }, () => fetchFrom(server, "HTTP/1.1", "/"));
    answers.push(...(await Promise.all(requests)));
  }
  return answers;
}

const application: Application = express().get("/", (_request, response) => {
  response.send("application");
});

for (const protocol of PROTOCOLS) {
  for (const [title, config] of [
    ["static files", {}],
    ["an Express application", { app: application }],
  ] as const) {
    describe(`a limit of 100/1m before ${title} over ${protocol}`, () => {
      const root = tempDirectory();
      let server: RunningServer;
      before(async () => {
        // Time stands still, so that a slow machine earns no request back meanwhile.
        const clock = (): number => 1_000_000;
        const rateLimit = { limit: 100, windowMs: 60_000 };
        server = await runServer({ root, rateLimit, clock, ...config });
      });
      after(() => server.close());

      it("answers exactly 100 of 200 requests, then 429 with Retry-After", async () => {
        const answers = await flood(server, protocol);
        const limited = answers.filter(({ status }) => status === 429);
        expect(limited.length).to.equal(100);
        expect(answers.length - limited.length).to.equal(100);
        for (const { headers, text } of limited) {
          expect(headers["retry-after"]).to.equal("1");
          expect(headers["content-type"]).to.equal("application/problem+json");
          expect(headers["ratelimit-policy"]).to.equal('"default";q=100;w=60');
          expect(headers["ratelimit"]).to.match(/^"default";r=0;t=\d+$/);
          expect(headers["x-content-type-options"]).to.equal("nosniff");
          expect(JSON.parse(text)).to.include({ status: 429 });
        }
        const admitted = answers.find(({ status }) => status !== 429);
        expect(admitted?.headers["ratelimit"]).to.match(/^"default";r=\d+;t=\d+$/);
      });
    });
  }
}
