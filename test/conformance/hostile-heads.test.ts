import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { expect } from "chai";
import fc from "fast-check";
import { after, before, describe, it } from "mocha";
import { IS_THOROUGH } from "../support/external.ts";
import { type ForkedServer, forkServer } from "../support/forked-server.ts";
import { damagedHead, headBytes, type HostileHead, hostileHead } from "../support/hostile-heads.ts";
import { type HostileSite, layOutHostileSite, MARKER } from "../support/hostile-site.ts";
import {
  parseResponse,
  rawConnection,
  type RawResponse,
  sendPlain,
} from "../support/raw-connection.ts";
import { tempDirectory } from "../support/temp-directory.ts";

/** Heads in all; see the shares below. */
const HEADS = IS_THOROUGH ? 100_000 : 2000;
const TIME_LIMIT_MS = 400_000;
const LANES = 16;
const BATCH = 100;

/** A head that asks for nothing the server has to think about is answered, or its connection ended, within this. */
const ANSWER_LIMIT_MS = 10_000;
/** A damaged head may be incomplete: then the server waits for the rest, and the test no longer than this. */
const SILENCE_MS = 60;

const STATUSES = new Set([
  200, 204, 206, 304, 308, 400, 403, 404, 405, 406, 408, 412, 413, 416, 417, 421, 431, 501, 505,
]);

const HOST = "Host: localhost\r\n";
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** Heads with the one status that answers them; the target goes into `GET <target> HTTP/1.1`. */
const TARGETS: readonly (readonly [target: string, status: number])[] = [
  ["/ten.txt", 200],
  ["/../secret.txt", 404],
  ["/../outside/secret.txt", 404],
  ["/sub/../../secret.txt", 404],
  ["/%2e%2e/secret.txt", 404],
  ["/.%2e/secret.txt", 404],
  ["/..%2fsecret.txt", 404],
  ["/..%5csecret.txt", 404],
  ["/..\\secret.txt", 404],
  ["/%252e%252e/secret.txt", 404],
  ["/..;/secret.txt", 404],
  ["/....//secret.txt", 404],
  ["//secret.txt", 404],
  ["/%c0%ae%c0%ae/secret.txt", 400],
  ["/%e0%80%ae/secret.txt", 400],
  ["/%u002e%u002e/secret.txt", 400],
  ["/ten.txt%00.html", 400],
  ["/ten.txt%0d%0aX-Injected:%201", 400],
  ["/%zz", 400],
  ["/%", 400],
  ["/ten.txt/", 404],
  ["/ten.txt/..", 404],
  ["/ten.txt?/../../secret.txt", 200],
  ["/out.txt", 403],
  ["/out", 403],
  ["/out/", 403],
  ["/out/secret.txt", 403],
  ["/up/secret.txt", 403],
  ["/up/outside/secret.txt", 403],
  ["/linked-index/", 403],
  ["/sidecar.txt.gz", 403],
  ["/sidecar.txt", 200],
  ["/.env", 404],
  ["/.git/config", 404],
  ["/.well-known/.hidden", 404],
  ["/.well-known/../.env", 404],
  [`/${"a".repeat(300)}`, 404],
  [`/${"a/".repeat(3000)}`, 404],
  ["secret.txt", 400],
  ["file:///etc/passwd", 400],
  ["https://localhost/ten.txt", 200],
  ["https://localhost/../secret.txt", 404],
  ["https://localhost@evil.test/ten.txt", 400],
  ["https://evil.test/ten.txt", 400],
];

/** Fields added to `GET /ten.txt`, with the status that answers them. */
const FIELDS: readonly (readonly [fields: string, status: number])[] = [
  ["Range: bytes=0-0", 206],
  ["Range: bytes=-0", 416],
  ["Range: bytes=10-", 416],
  ["Range: bytes=0-0,-1", 206],
  [`Range: bytes=${"0-0,".repeat(17)}1-1`, 200],
  [`Range: bytes=${"0-9,".repeat(10)}0-9`, 200],
  [`Range: bytes=0-${"9".repeat(4000)}`, 206],
  ["Range: bytes=5-1", 200],
  ["Range: lines=0-1", 200],
  ["If-Match: *", 200],
  ['If-Match: "other"', 412],
  ["If-None-Match: *", 304],
  [`If-None-Match: ${'"a",'.repeat(2000)}"b"`, 200],
  ["If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT", 304],
  ["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 412],
  ["Accept-Encoding: identity;q=0", 406],
  ["Accept-Encoding: *;q=0, br", 406],
  ["Accept-Encoding: gzip;q=nonsense", 200],
  ["X-Original-URL: /.env", 200],
  ["__proto__: 1", 200],
  ["Upgrade: h2c\r\nConnection: Upgrade", 200],
];

describe(`${HEADS} hostile request heads`, function () {
  this.timeout(TIME_LIMIT_MS);
  const folder = tempDirectory();
  let site: HostileSite;
  let server: ForkedServer;
  before(async () => {
    site = layOutHostileSite(folder);
    server = await forkServer({
      connections: false,
      root: site.root,
      memory: { revalidateMs: 20 },
    });
  });
  after(async () => {
    expect(await server.close(), "exit code").to.equal(0);
    expect(server.complaints).to.equal("");
  });

  /** Sends heads from fast-check in batches, each over as many lanes at once. */
  async function assertEach<T>(
    count: number,
    arbitrary: fc.Arbitrary<T>,
    lanes: readonly ((value: T) => Promise<void>)[],
  ): Promise<void> {
    const batch = fc.array(arbitrary, { minLength: BATCH, maxLength: BATCH });
    const property = fc.asyncProperty(batch, async (values) => {
      let next = 0;
      await Promise.all(
        lanes.map(async (check) => {
          while (next < values.length) await check(values[next++]!);
        }),
      );
      expect(server.exitCode, `exit code; ${server.complaints}`).to.equal(undefined);
    });
    await fc.assert(property, { numRuns: Math.ceil(count / BATCH), endOnFailure: true });
  }

  function expectHeadOf(response: RawResponse | undefined, head: string): RawResponse {
    if (response === undefined) throw new Error(`No answer to ${head}`);
    expect(STATUSES, head).to.include(response.status);
    expect(response.fields.get("x-content-type-options"), head).to.equal("nosniff");
    return response;
  }

  function expectWellFormed(response: RawResponse, { method, target }: HostileHead): void {
    const { status, fields, body } = response;
    const title = `${status} to ${method} ${target}`;
    const length = fields.get("content-length");
    const isBare = method === "HEAD" || status === 204 || status === 304;
    if (status === 204 || status === 304) expect(length, title).to.equal(undefined);
    // What is no HTTP is no HEAD either: node's parser did not get as far.
    const isUnread = method === "HEAD" && (status === 400 || status === 431) && body.length > 0;
    expect(body.length, title).to.equal(isBare && !isUnread ? 0 : Number(length));
    if (status === 416) expect(fields.get("content-range"), title).to.match(/^bytes \*\/\d+$/);
    const content = site.files.get(target);
    if (isBare || content === undefined || fields.has("content-encoding")) return;
    if (status === 200) expect(body.equals(content), title).to.equal(true);
    const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(fields.get("content-range") ?? "");
    if (status !== 206 || range === null) return;
    const [first = 0, last = 0, size] = range.slice(1).map(Number);
    expect(size, title).to.equal(content.length);
    expect(body.equals(content.subarray(first, last + 1)), title).to.equal(true);
  }

  function expectNoMarker(bytes: Buffer, head: string): void {
    expect(bytes.includes(MARKER), `a file that is not to be served: ${head}`).to.equal(false);
  }

  it("of a fixed list are answered with the documented status", async () => {
    const connection = rawConnection(server);
    const statusOf = async (head: string): Promise<number> => {
      const options = { silenceMs: ANSWER_LIMIT_MS, method: "GET" };
      const { bytes } = await connection.send(Buffer.from(head, "latin1"), options);
      expectNoMarker(bytes, head);
      return expectHeadOf(parseResponse(bytes), head).status;
    };
    for (const [target, status] of TARGETS) {
      const head = `GET ${target} HTTP/1.1\r\n${HOST}Accept-Encoding: br, gzip\r\n\r\n`;
      expect(await statusOf(head), target).to.equal(status);
    }
    for (const [fields, status] of FIELDS) {
      const head = `GET /ten.txt HTTP/1.1\r\n${HOST}${fields}\r\n\r\n`;
      expect(await statusOf(head), fields).to.equal(status);
    }
    connection.close();
  });

  it("that are complete get exactly one well-formed answer each", async () => {
    const connections = Array.from({ length: LANES }, () => rawConnection(server));
    const lanes = connections.map((connection) => async (head: HostileHead) => {
      const bytes = headBytes(head);
      const text = JSON.stringify(head);
      const options = { silenceMs: ANSWER_LIMIT_MS, method: head.method };
      const outcome = await connection.send(bytes, options);
      expect(outcome.end, text).to.not.equal("silent");
      expectNoMarker(outcome.bytes, text);
      expectWellFormed(expectHeadOf(parseResponse(outcome.bytes), text), head);
    });
    await assertEach(HEADS * 0.5, hostileHead, lanes);
    for (const connection of connections) connection.close();
  });

  it("that are damaged get answers with security headers, or none", async () => {
    const connections = Array.from({ length: LANES }, () => rawConnection(server));
    const expectAnswers = (bytes: Buffer, head: string): void => {
      expectNoMarker(bytes, head);
      const answers = bytes.toString("latin1").split(/(?=HTTP\/1\.1 \d{3} )/);
      for (const answer of answers.filter((text) => text.includes("\r\n\r\n"))) {
        expectHeadOf(parseResponse(Buffer.from(answer, "latin1")), head);
      }
    };
    const overTls = connections.map((connection) => async (head: Buffer) => {
      const outcome = await connection.send(head, { silenceMs: SILENCE_MS, method: "HEAD" });
      expectAnswers(outcome.bytes, JSON.stringify(head.toString("latin1")));
    });
    const overTcp = Array.from({ length: LANES }, () => async (head: Buffer) => {
      expectAnswers(await sendPlain(server, head), JSON.stringify(head.toString("latin1")));
    });
    await assertEach(HEADS * 0.1, damagedHead, overTls);
    await assertEach(HEADS * 0.2, damagedHead, overTcp);
  });

  it("over HTTP/2 get one well-formed answer or the end of their stream", async () => {
    let session: ClientHttp2Session | undefined;
    let answers = 0;
    const check = async (head: HostileHead): Promise<void> => {
      if (session === undefined || session.closed || session.destroyed) {
        session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: server.ca });
        session.setMaxListeners(0);
        session.on("error", () => undefined);
      }
      const response = await requestHttp2(session, head);
      if (response === undefined) return;
      answers += 1;
      const text = JSON.stringify(head);
      expectNoMarker(response.body, text);
      expectWellFormed(expectHeadOf(response, text), head);
    };
    await assertEach(
      HEADS * 0.2,
      hostileHead,
      Array.from({ length: LANES }, () => check),
    );
    session?.destroy();
    expect(answers).to.be.above(HEADS * 0.1);
  });
});

/** Resolves with the whole response, or undefined when the head cannot be sent or its stream is ended. */
function requestHttp2(
  session: ClientHttp2Session,
  { method, target, fields }: HostileHead,
): Promise<RawResponse | undefined> {
  return new Promise((resolve) => {
    const headers: Record<string, string> = { ":method": method, ":path": target };
    for (const [name, value] of fields) {
      if (name === "Host") headers[":authority"] = value;
      // The client's session ends over other names, without a word to the request.
      else if (TOKEN.test(name)) headers[name.toLowerCase()] = value;
    }
    try {
      const stream = session.request(headers, { endStream: true });
      const chunks: Buffer[] = [];
      let response: Omit<RawResponse, "body"> | undefined;
      stream.on("response", (received) => {
        const lines = Object.entries(received).map(
          ([name, value]) => [name, String(value)] as const,
        );
        response = { status: received[":status"] ?? 0, fields: new Map(lines) };
      });
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", () => undefined);
      stream.on("close", () => {
        const isWhole = response !== undefined && stream.rstCode === 0;
        resolve(isWhole ? { ...response!, body: Buffer.concat(chunks) } : undefined);
      });
    } catch {
      resolve(undefined);
    }
  });
}
