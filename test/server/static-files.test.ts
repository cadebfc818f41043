import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { fetchFrom, PROTOCOLS, type Received, sendRaw, type Sent } from "../support/http-client.ts";
import { type RunningServer, runServer } from "../support/running-server.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const TEN = "0123456789";
const BIG = Buffer.alloc(600_000, "abcdefghij");
const PAGE = "<!doctype html><title>Page</title><script>window.ran = 1;</script>";

function layOut(folder: string): { root: string; outside: string } {
  const root = join(folder, "root");
  const outside = join(folder, "outside");
  for (const path of [root, outside, join(root, "sub"), join(root, "empty"), join(root, ".git")]) {
    mkdirSync(path);
  }
  writeFileSync(join(outside, "secret.txt"), "secret");
  writeFileSync(join(root, "index.html"), PAGE);
  writeFileSync(join(root, "ten.txt"), TEN);
  writeFileSync(join(root, "big.bin"), BIG);
  writeFileSync(join(root, "nothing.txt"), "");
  writeFileSync(join(root, "sub", "index.html"), "<!doctype html><title>Sub</title>");
  writeFileSync(join(root, ".git", "config"), "secret");
  writeFileSync(join(root, ".env"), "secret");
  writeFileSync(join(root, "style.css"), "body { margin: 0 }".repeat(20));
  writeFileSync(join(root, "style.css.br"), brotliCompressSync("body { margin: 0 }".repeat(20)));
  writeFileSync(join(root, "style.css.gz"), gzipSync("body { margin: 0 }".repeat(20)));
  symlinkSync("ten.txt", join(root, "link-inside.txt"));
  symlinkSync(join(outside, "secret.txt"), join(root, "link-outside.txt"));
  symlinkSync(outside, join(root, "folder-outside"));
  mkdirSync(join(root, "linked-index"));
  symlinkSync(join(outside, "secret.txt"), join(root, "linked-index", "index.html"));
  writeFileSync(join(root, "sidecar.txt"), "plain");
  symlinkSync(join(outside, "secret.txt"), join(root, "sidecar.txt.gz"));
  return { root, outside };
}

for (const protocol of PROTOCOLS) {
  describe(`static files over ${protocol}`, () => {
    const folder = tempDirectory();
    let server: RunningServer;
    const get = (path: string, sent?: Sent): Promise<Received> =>
      fetchFrom(server, protocol, path, sent);
    const getWith = (path: string, headers: Record<string, string>): Promise<Received> =>
      get(path, { headers });

    before(async () => {
      const { root } = layOut(folder);
      server = await runServer({ root, memory: { revalidateMs: 0 } });
    });
    after(() => server.close());

    it("answers a file with its type, length and strong validators", async () => {
      const { status, headers, text } = await get("/ten.txt");
      expect(status).to.equal(200);
      expect(text).to.equal(TEN);
      expect(headers["content-type"]).to.equal("text/plain; charset=utf-8");
      expect(headers["content-length"]).to.equal("10");
      expect(headers["accept-ranges"]).to.equal("bytes");
      expect(headers.etag).to.match(/^"[\w-]+"$/);
      expect(headers["last-modified"]).to.match(/GMT$/);
      expect(headers.vary).to.equal(undefined);
    });

    it("answers a file too large for memory in full", async () => {
      const { headers, body } = await get("/big.bin");
      expect(body.equals(BIG)).to.equal(true);
      expect(headers["content-length"]).to.equal("600000");
      expect(headers.etag).to.match(/^"[\w-]+"$/);
    });

    it("answers an empty file", async () => {
      const { status, headers, text } = await get("/nothing.txt");
      expect([status, headers["content-length"], text]).to.deep.equal([200, "0", ""]);
    });

    it("answers HEAD as GET without content", async () => {
      for (const path of ["/ten.txt", "/big.bin", "/", "/none"]) {
        const [head, full] = await Promise.all([get(path, { method: "HEAD" }), get(path)]);
        expect(head.body.length, path).to.equal(0);
        expect(head.status, path).to.equal(full.status);
        expect({ ...head.headers, date: "" }, path).to.deep.equal({ ...full.headers, date: "" });
      }
    });

    it("answers a folder with its index, and redirects to the slash", async () => {
      expect((await get("/")).text).to.equal(PAGE);
      expect((await get("/sub/")).text).to.include("Sub");
      const redirect = await get("/sub?a=b");
      expect([redirect.status, redirect.headers.location]).to.deep.equal([308, "/sub/?a=b"]);
    });

    it("refuses a folder without an index, and what is not there", async () => {
      const outcomes: Record<string, number> = {};
      for (const path of [
        "/empty/",
        "/empty",
        "/none",
        "/none/",
        "/ten.txt/",
        "/.env",
        "/.git/config",
      ]) {
        outcomes[path] = (await get(path)).status;
      }
      expect(outcomes).to.deep.equal({
        "/empty/": 403,
        "/empty": 308,
        "/none": 404,
        "/none/": 404,
        "/ten.txt/": 404,
        "/.env": 404,
        "/.git/config": 404,
      });
    });

    it("follows links inside the root and refuses those that leave it", async () => {
      expect((await get("/link-inside.txt")).text).to.equal(TEN);
      for (const path of [
        "/link-outside.txt",
        "/folder-outside/secret.txt",
        "/linked-index/",
        "/folder-outside/",
      ]) {
        const { status, text } = await get(path);
        expect(status, path).to.equal(403);
        expect(text, path).to.not.include("secret");
      }
      const sidecar = await getWith("/sidecar.txt", { "accept-encoding": "gzip" });
      expect([sidecar.text, sidecar.headers["content-encoding"]]).to.deep.equal([
        "plain",
        undefined,
      ]);
    });

    it("answers 304 without content, with validators and security headers", async () => {
      const { headers } = await get("/ten.txt");
      const etag = headers.etag ?? "";
      const modified = headers["last-modified"] ?? "";
      for (const condition of [
        { "if-none-match": etag },
        { "if-none-match": `"x", W/${etag}` },
        { "if-none-match": "*" },
        { "if-modified-since": modified },
      ]) {
        const answer = await getWith("/ten.txt", condition);
        expect(answer.status, JSON.stringify(condition)).to.equal(304);
        expect(answer.body.length).to.equal(0);
        expect(answer.headers.etag).to.equal(etag);
        expect(answer.headers["x-content-type-options"]).to.equal("nosniff");
        expect(answer.headers["content-security-policy"]).to.be.a("string");
      }
    });

    it("answers 412 when the file is not in the state asked for", async () => {
      expect((await getWith("/ten.txt", { "if-match": '"x"' })).status).to.equal(412);
    });

    const RANGES: readonly [range: string, status: number, text: string, contentRange?: string][] =
      [
        ["bytes=0-0", 206, "0", "bytes 0-0/10"],
        ["bytes=-3", 206, "789", "bytes 7-9/10"],
        ["bytes=4-", 206, "456789", "bytes 4-9/10"],
        ["bytes=2-99", 206, "23456789", "bytes 2-9/10"],
        ["bytes=10-", 416, "", "bytes */10"],
        ["bytes=-0", 416, "", "bytes */10"],
        ["bytes=a-b", 200, TEN],
        ["items=0-1", 200, TEN],
        ["bytes=0-,0-", 200, TEN],
      ];
    for (const [range, status, text, contentRange] of RANGES) {
      it(`answers Range: ${range} with ${status}`, async () => {
        const answer = await getWith("/ten.txt", { range });
        expect(answer.status).to.equal(status);
        expect(answer.headers["content-range"]).to.equal(contentRange);
        if (status !== 416) {
          expect(answer.text).to.equal(text);
          expect(answer.headers["content-length"]).to.equal(String(text.length));
        }
        expect(answer.headers["x-content-type-options"]).to.equal("nosniff");
      });
    }

    it("answers several ranges as multipart/byteranges (RFC 9110 section 14.6)", async () => {
      for (const [path, parts, size] of [
        ["/ten.txt", ["01", "56"], 10],
        ["/big.bin", ["ab", "fg"], 600_000],
      ] as const) {
        const answer = await getWith(path, { range: "bytes=0-1,5-6" });
        const type = answer.headers["content-type"] ?? "";
        const boundary = /^multipart\/byteranges; boundary=([\w-]+)$/.exec(type)?.[1] ?? "none";
        expect(answer.status).to.equal(206);
        expect(answer.headers["content-range"]).to.equal(undefined);
        expect(answer.headers["content-length"]).to.equal(String(answer.body.length));
        const [, first, second, end] = answer.text.split(`\r\n--${boundary}`);
        expect(first).to.match(new RegExp(`Content-Range: bytes 0-1/${size}\r\n\r\n${parts[0]}$`));
        expect(second).to.match(new RegExp(`Content-Range: bytes 5-6/${size}\r\n\r\n${parts[1]}$`));
        expect(end).to.equal("--\r\n");
      }
    });

    it("answers a range of a large file, and ignores Range in HEAD", async () => {
      const answer = await getWith("/big.bin", { range: "bytes=300000-300004" });
      expect([answer.status, answer.text]).to.deep.equal([206, "abcde"]);
      const head = await get("/ten.txt", { method: "HEAD", headers: { range: "bytes=0-0" } });
      expect([head.status, head.headers["content-length"]]).to.deep.equal([200, "10"]);
    });

    it("honours Range only for the representation that If-Range names", async () => {
      const etag = (await get("/ten.txt")).headers.etag ?? "";
      const range = "bytes=0-1";
      expect((await getWith("/ten.txt", { range, "if-range": etag })).text).to.equal("01");
      expect((await getWith("/ten.txt", { range, "if-range": `W/${etag}` })).text).to.equal(TEN);
      expect((await getWith("/ten.txt", { range, "if-range": '"old"' })).text).to.equal(TEN);
    });

    it("answers with the precompressed sibling that the client prefers, and with Vary always", async () => {
      for (const [accept, coding] of [
        ["gzip, br", "br"],
        ["gzip;q=1, br;q=0.5", "gzip"],
        ["gzip;q=0", undefined],
        ["identity", undefined],
      ] as const) {
        const { status, headers } = await getWith("/style.css", { "accept-encoding": accept });
        expect([status, headers["content-encoding"]], accept).to.deep.equal([200, coding]);
        expect(headers.vary, accept).to.equal("accept-encoding");
        expect(headers["content-type"], accept).to.equal("text/css; charset=utf-8");
      }
      const refused = await getWith("/style.css", { "accept-encoding": "*;q=0" });
      expect([refused.status, refused.headers.vary]).to.deep.equal([406, "accept-encoding"]);
    });

    it("gives each coding its own entity tag and answers ranges of the coded bytes", async () => {
      const [plain, coded] = await Promise.all([
        get("/style.css"),
        getWith("/style.css", { "accept-encoding": "br" }),
      ]);
      expect(coded.headers.etag).to.not.equal(plain.headers.etag);
      const crossed = await getWith("/style.css", {
        "accept-encoding": "br",
        "if-none-match": plain.headers.etag ?? "",
      });
      expect(crossed.status).to.equal(200);
      const part = await getWith("/style.css", { "accept-encoding": "br", range: "bytes=0-3" });
      expect(part.headers["content-encoding"]).to.equal("br");
      expect(part.body.equals(coded.body.subarray(0, 4))).to.equal(true);
    });

    it("answers other methods with 405 and OPTIONS with 204", async () => {
      for (const method of ["POST", "PUT", "DELETE", "PATCH", "TRACE"]) {
        const { status, headers } = await get("/ten.txt", { method });
        expect([status, headers.allow], method).to.deep.equal([405, "GET, HEAD, OPTIONS"]);
      }
      const { status, headers, body } = await get("/ten.txt", { method: "OPTIONS" });
      expect([status, headers.allow, body.length]).to.deep.equal([204, "GET, HEAD, OPTIONS", 0]);
    });

    it("repeats nothing of the request on an error page", async () => {
      const page = await getWith("/no%3Cscript%3E", { accept: "text/html" });
      expect([page.status, page.headers["content-type"]]).to.deep.equal([
        404,
        "text/html; charset=utf-8",
      ]);
      expect(page.text).to.not.include("script");
    });
  });
}

describe("static files that change", () => {
  const folder = tempDirectory();
  let server: RunningServer;
  const text = async (path: string): Promise<string> =>
    (await fetchFrom(server, "HTTP/1.1", path)).text;

  before(async () => {
    writeFileSync(join(folder, "old.txt"), "old");
    utimesSync(join(folder, "old.txt"), 1000, 1000);
    server = await runServer({ root: folder, memory: { revalidateMs: 0 } });
  });
  after(() => server.close());

  it("sees a replaced, an edited, a deleted and a new file", async () => {
    expect(await text("/old.txt")).to.equal("old");
    writeFileSync(join(folder, "next.txt"), "replaced");
    renameSync(join(folder, "next.txt"), join(folder, "old.txt"));
    expect(await text("/old.txt")).to.equal("replaced");
    writeFileSync(join(folder, "old.txt"), "edited!!");
    expect(await text("/old.txt")).to.equal("edited!!");
    rmSync(join(folder, "old.txt"));
    expect(await text("/old.txt")).to.include("404");
    writeFileSync(join(folder, "old.txt"), "back");
    expect(await text("/old.txt")).to.equal("back");
  });

  it("sees an edit of the same length and date", async () => {
    const path = join(folder, "same.txt");
    const date = new Date("2020-01-01");
    writeFileSync(path, "one");
    utimesSync(path, date, date);
    expect(await text("/same.txt")).to.equal("one");
    writeFileSync(path, "two");
    utimesSync(path, date, date);
    expect(await text("/same.txt")).to.equal("two");
  });

  it("sees a new precompressed sibling, and ignores one older than its file", async () => {
    const path = join(folder, "app.js");
    const coding = async (): Promise<string | undefined> => {
      const headers = { "accept-encoding": "gzip" };
      return (await fetchFrom(server, "HTTP/1.1", "/app.js", { headers })).headers[
        "content-encoding"
      ];
    };
    writeFileSync(path, "1;".repeat(100));
    expect(await coding()).to.equal(undefined);
    writeFileSync(`${path}.gz`, gzipSync("1;".repeat(100)));
    expect(await coding()).to.equal("gzip");
    utimesSync(`${path}.gz`, 1000, 1000);
    expect(await coding()).to.equal(undefined);
  });

  it("refuses a file that became a link out of the root", async () => {
    const path = join(folder, "turncoat.txt");
    writeFileSync(path, "mine");
    expect(await text("/turncoat.txt")).to.equal("mine");
    rmSync(path);
    symlinkSync("/etc/hostname", path);
    expect(await text("/turncoat.txt")).to.include("403");
  });

  it("sends no Last-Modified for files dated at the epoch, and still validates them", async () => {
    writeFileSync(join(folder, "epoch.txt"), "nix");
    utimesSync(join(folder, "epoch.txt"), 1, 1);
    const { headers } = await fetchFrom(server, "HTTP/1.1", "/epoch.txt");
    expect(headers["last-modified"]).to.equal(undefined);
    const again = await fetchFrom(server, "HTTP/1.1", "/epoch.txt", {
      headers: { "if-none-match": headers.etag ?? "" },
    });
    expect(again.status).to.equal(304);
  });

  it("answers a pipe without waiting for a writer", async () => {
    execFileSync("mkfifo", [join(folder, "pipe")]);
    expect(await text("/pipe")).to.include("403");
  });

  it("serves a page with more inline scripts than a policy holds, and keeps them blocked", async () => {
    const scripts = Array.from({ length: 300 }, (_, index) => `<script>${index}</script>`).join("");
    writeFileSync(join(folder, "many.html"), `<!doctype html>${scripts}`);
    const { status, headers } = await fetchFrom(server, "HTTP/2", "/many.html");
    expect(status).to.equal(200);
    expect(headers["content-security-policy"]).to.not.include("'sha256-");
  });

  it("serves 404.html with status 404, its inline script allowed by hash", async () => {
    writeFileSync(join(folder, "404.html"), "<!doctype html>Custom<script>1</script>");
    const { status, text: page, headers } = await fetchFrom(server, "HTTP/2", "/nowhere");
    expect([status, page]).to.deep.equal([404, "<!doctype html>Custom<script>1</script>"]);
    expect(headers["content-security-policy"]).to.include("'sha256-");
  });
});

describe("paths that try to leave the root", () => {
  const folder = tempDirectory();
  let server: RunningServer;

  before(async () => {
    const { root } = layOut(folder);
    server = await runServer({ root });
  });
  after(() => server.close());

  for (const path of [
    "/../outside/secret.txt",
    "/sub/../../outside/secret.txt",
    "/%2e%2e/outside/secret.txt",
    "/..%2foutside/secret.txt",
    "/..%5coutside%5csecret.txt",
    "/..\\outside\\secret.txt",
    "/%2e%2e%2foutside%2fsecret.txt",
    "/....//outside/secret.txt",
    "/..;/outside/secret.txt",
    "/%252e%252e/outside/secret.txt",
    "/%c0%ae%c0%ae/outside/secret.txt",
    "/ten.txt%00.html",
    "//outside/secret.txt",
    "/.%00./outside/secret.txt",
    "/%u002e%u002e/outside/secret.txt",
    "/folder-outside/secret.txt",
    "/sub/../.env",
    "file:///etc/passwd",
    "/sub%2f..%2f..%2foutside%2fsecret.txt",
    `/${"../".repeat(50)}etc/passwd`,
    `/${"a".repeat(9000)}`,
    `/${"a/".repeat(4000)}`,
  ]) {
    it(`answers ${path.slice(0, 60)} with a client error and no secret`, async () => {
      const answer = await sendRaw(
        server,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).to.match(/^HTTP\/1\.1 4\d\d /);
      expect(answer).to.not.match(/\r\n\r\nsecret|root:/);
      expect(answer.toLowerCase()).to.include("x-content-type-options: nosniff");
    });
  }
});
