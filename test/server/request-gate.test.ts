import { connect as connectHttp2 } from "node:http2";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { requestOn, sendRaw } from "../support/http-client.ts";
import { type RunningServer, runServer } from "../support/running-server.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const HOST = "Host: localhost\r\n";
const CLOSE = "Connection: close\r\n";
const MANY = Array.from({ length: 300 }, (_, i) => `X-${i}: 1\r\n`).join("");

const CASES: readonly [title: string, bytes: string, status: number][] = [
  ["a usual request", `GET /x HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 404],
  ["HTTP/1.0 without Host", "GET /x HTTP/1.0\r\n\r\n", 404],
  ["HTTP/1.1 without Host", `GET /x HTTP/1.1\r\n${CLOSE}\r\n`, 400],
  ["two Host fields", `GET /x HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400],
  ["two different Host fields", `GET /x HTTP/1.1\r\n${HOST}hOsT: evil\r\n\r\n`, 400],
  ["an empty Host", `GET /x HTTP/1.1\r\nHost:\r\n\r\n`, 400],
  ["a Host with user information", `GET /x HTTP/1.1\r\nHost: a@localhost\r\n\r\n`, 400],
  ["a Host with a space", `GET /x HTTP/1.1\r\nHost: local host\r\n\r\n`, 400],
  ["a Host with two ports", `GET /x HTTP/1.1\r\nHost: localhost:1:2\r\n\r\n`, 400],
  ["a Host with a path", `GET /x HTTP/1.1\r\nHost: localhost/x\r\n\r\n`, 400],
  [
    "a Host nobody has a certificate for",
    `GET /x HTTP/1.1\r\nHost: evil.test\r\n${CLOSE}\r\n`,
    421,
  ],
  [
    "absolute-form of the same host",
    `GET https://localhost/x HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
    404,
  ],
  ["absolute-form of another host", `GET https://evil.test/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  ["absolute-form of another scheme", `GET http://localhost/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  ["absolute-form with user information", `GET https://a@localhost/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  ["HTTP/2.0 on an HTTP/1 line", `GET / HTTP/2.0\r\n${HOST}\r\n`, 505],
  ["HTTP/1.2", `GET / HTTP/1.2\r\n${HOST}\r\n`, 400],
  ["HTTP/0.9", "GET /\r\n\r\n", 400],
  ["HTTP/0.9 with fields and content", `GET /\n${HOST}Content-Length: 5\n\nabcde`, 400],
  ["a method nobody knows", `BREW / HTTP/1.1\r\n${HOST}\r\n`, 400],
  ["a lower-case method", `get / HTTP/1.1\r\n${HOST}\r\n`, 400],
  ["CONNECT", `CONNECT localhost:443 HTTP/1.1\r\n${HOST}\r\n`, 501],
  ["TRACE", `TRACE / HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 405],
  ["an asterisk with GET", `GET * HTTP/1.1\r\n${HOST}\r\n`, 400],
  ["300 field lines", `GET /x HTTP/1.1\r\n${HOST}${MANY}\r\n`, 431],
  ["20 KB of fields", `GET /x HTTP/1.1\r\n${HOST}X: ${"a".repeat(20_000)}\r\n\r\n`, 431],
  ["a target of 20 KB", `GET /${"a".repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`, 431],
  [
    "Content-Length with Transfer-Encoding",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    "two Content-Lengths",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde`,
    400,
  ],
  ["a signed Content-Length", `POST / HTTP/1.1\r\n${HOST}Content-Length: +5\r\n\r\nabcde`, 400],
  [
    "Transfer-Encoding in HTTP/1.0",
    `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    "an unknown transfer coding",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    501,
  ],
  ["an unknown expectation", `GET /x HTTP/1.1\r\n${HOST}Expect: tea\r\n\r\n`, 417],
  ["a folded field", `GET /x HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`, 400],
  ["a bare carriage return", `GET /x HTTP/1.1\r\n${HOST}X: a\rb\r\n\r\n`, 400],
  ["NUL in a field", `GET /x HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`, 400],
  ["a field without colon", `GET /x HTTP/1.1\r\n${HOST}Nonsense\r\n\r\n`, 400],
  ["a space before the colon", `GET /x HTTP/1.1\r\n${HOST}X : a\r\n\r\n`, 400],
  ["no HTTP at all", "\x16\x03\x01\x00\xff\x01", 400],
];

describe("the gate for HTTP/1.1 requests", () => {
  let server: RunningServer;
  const root = tempDirectory();
  before(async () => {
    server = await runServer({ root });
  });
  after(() => server.close());

  for (const [title, bytes, status] of CASES) {
    it(`answers ${title} with ${status} and security headers`, async () => {
      const answer = await sendRaw(server, bytes);
      expect(answer.split("\r\n")[0]).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(answer.toLowerCase()).to.include("x-content-type-options: nosniff");
      expect(answer.toLowerCase()).to.include("strict-transport-security: max-age=");
      expect(answer.match(/HTTP\/1\.1 \d/g)?.length, "number of responses").to.equal(1);
    });
  }

  it("answers a broken request after a good one on the same connection with 400", async () => {
    const answer = await sendRaw(server, `GET /x HTTP/1.1\r\n${HOST}\r\nnonsense\r\n\r\n`);
    const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status);
    expect(statuses).to.deep.equal(["404", "400"]);
  });

  it("answers on the plain port with security headers but without HSTS (RFC 6797 section 7.2)", async () => {
    for (const bytes of [
      `GET / HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
      "nonsense\r\n\r\n",
      `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`,
    ]) {
      const answer = (await sendRaw(server, bytes, "tcp")).toLowerCase();
      expect(answer).to.include("x-content-type-options: nosniff");
      expect(answer).to.not.include("strict-transport-security");
    }
  });
});

describe("the gate for HTTP/2 requests", () => {
  let server: RunningServer;
  const root = tempDirectory();
  before(async () => {
    server = await runServer({ root });
  });
  after(() => server.close());

  const FIELDS: readonly [title: string, headers: Record<string, string>, status: number][] = [
    ["a usual request", {}, 404],
    ["a Host unlike the authority", { ":authority": "localhost", host: "app.test" }, 400],
    ["a Host like the authority", { ":authority": "localhost", host: "LOCALHOST" }, 404],
    ["an authority nobody has a certificate for", { ":authority": "evil.test" }, 421],
    ["another scheme", { ":scheme": "http" }, 400],
  ];
  for (const [title, headers, status] of FIELDS) {
    it(`answers ${title} with ${status} and security headers`, async () => {
      const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: server.ca });
      try {
        const answer = await requestOn(session, "/x", { headers });
        expect(answer.status).to.equal(status);
        expect(answer.headers["x-content-type-options"]).to.equal("nosniff");
      } finally {
        session.close();
      }
    });
  }
});

describe("an HTTP/2 authority with user information", () => {
  it("is refused, by nghttp2 itself from Node 22 on", async () => {
    const server = await runServer({ root: process.cwd() });
    const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: server.ca });
    try {
      const outcome = await requestOn(session, "/x", {
        headers: { ":authority": "a@localhost" },
      }).then(
        ({ status }) => status,
        (error: Error) => error.message,
      );
      expect(outcome).to.be.oneOf([400, "Stream closed with error code NGHTTP2_PROTOCOL_ERROR"]);
    } finally {
      session.close();
      await server.close();
    }
  });
});

describe("the plain HTTP listener", () => {
  let server: RunningServer;
  const root = tempDirectory();
  const location = async (target: string, host = "localhost:8080"): Promise<string> => {
    const bytes = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${CLOSE}\r\n`;
    const answer = await sendRaw(server, bytes, "tcp");
    const [, status] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? [];
    return `${status} ${/^location: (.*)$/im.exec(answer)?.[1]?.trim() ?? "-"}`;
  };
  before(async () => {
    server = await runServer({ root });
  });
  after(() => server.close());

  it("redirects to the same host and target, whatever the target looks like", async () => {
    const base = `308 https://localhost:${server.port}`;
    expect(await location("/a?b=c")).to.equal(`${base}/a?b=c`);
    expect(await location("//evil.test/..")).to.equal(`${base}//evil.test/..`);
    expect(await location("/\\evil.test")).to.equal(`${base}/\\evil.test`);
    expect(await location("/%0d%0aSet-Cookie:x")).to.equal(`${base}/%0d%0aSet-Cookie:x`);
    expect(await location("/\xe9")).to.equal("400 -");
    expect(await location("http://localhost:8080/x")).to.equal(`${base}/x`);
  });

  it("redirects to no host that it has no certificate for", async () => {
    expect(await location("/", "evil.test")).to.equal("421 -");
    expect(await location("/", "localhost.evil.test")).to.equal("421 -");
    expect(await location("/", "127.0.0.2")).to.equal("421 -");
    expect(await location("/", "localhost@evil.test")).to.equal("400 -");
  });

  it("redirects POST with 308 as well, and names no host that the client did not", async () => {
    const post = `POST /x HTTP/1.1\r\nHost: app.test\r\nContent-Length: 0\r\n${CLOSE}\r\n`;
    const answer = await sendRaw(server, post, "tcp");
    expect(answer).to.match(/^HTTP\/1\.1 308 /);
    expect(answer).to.include(`location: https://app.test:${server.port}/x`);
    expect(await sendRaw(server, "GET / HTTP/1.0\r\n\r\n", "tcp")).to.match(/^HTTP\/1\.1 400 /);
  });
});
