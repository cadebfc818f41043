import { createHash } from "node:crypto";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { fetchFrom, PROTOCOLS, type Received } from "../support/http-client.ts";
import { runServer, type RunningServer } from "../support/running-server.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const folder = tempDirectory();
const open: RunningServer[] = [];
let roots = 0;

function digest(text: string): string {
  return `sha384-${createHash("sha384").update(text).digest("base64")}`;
}

function newRoot(files: Readonly<Record<string, string | Buffer>>): string {
  roots += 1;
  const root = join(folder, String(roots));
  mkdirSync(join(root, "docs"), { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content);
  return root;
}

async function serve(root: string, pages: object = { integrity: true }): Promise<RunningServer> {
  const server = await runServer({ root, pages, memory: { revalidateMs: 0 }, httpPort: false });
  open.push(server);
  return server;
}

function policyOf({ headers }: Received): string {
  return String(headers["content-security-policy"]);
}

describe("pages.integrity", () => {
  afterEach(async () => {
    for (const server of open.splice(0)) await server.close();
  });

  for (const protocol of PROTOCOLS) {
    it(`adds the digests of the root's files to the page and to its policy (${protocol})`, async () => {
      const root = newRoot({
        "index.html":
          "<!doctype html>\r\n<link rel=stylesheet href=style.css?v=2><script src=/app.js></script>" +
          "<script src=missing.js></script><script src=https://cdn.example/x.js></script>",
        "app.js": "1",
        "style.css": "p{}",
      });
      const page = await fetchFrom(await serve(root), protocol, "/");
      expect(page.text).to.equal(
        `<!doctype html>\r\n<link integrity="${digest("p{}")}" rel=stylesheet href=style.css?v=2>` +
          `<script integrity="${digest("1")}" src=/app.js></script>` +
          "<script src=missing.js></script><script src=https://cdn.example/x.js></script>",
      );
      expect(page.headers["content-length"]).to.equal(String(page.body.length));
      expect(policyOf(page)).to.include(`'${digest("1")}'`);
    });
  }

  it("follows its files: content, entity tag and policy change when a script does", async () => {
    const root = newRoot({ "index.html": "<script src=app.js></script>", "app.js": "1" });
    const server = await serve(root);
    const before = await fetchFrom(server, "HTTP/1.1", "/");
    writeFileSync(join(root, "app.js"), "22");
    const after = await fetchFrom(server, "HTTP/1.1", "/", {
      headers: { "if-none-match": String(before.headers.etag) },
    });
    expect(after.status).to.equal(200);
    expect(after.text).to.include(digest("22"));
    expect(policyOf(after))
      .to.include(`'${digest("22")}'`)
      .and.not.include(digest("1"));
    expect(after.headers.etag).to.not.equal(before.headers.etag);
  });

  it("answers 304 while nothing changed", async () => {
    const root = newRoot({ "index.html": "<script src=app.js></script>", "app.js": "1" });
    const server = await serve(root);
    const { headers } = await fetchFrom(server, "HTTP/1.1", "/");
    const again = await fetchFrom(server, "HTTP/1.1", "/", {
      headers: { "if-none-match": String(headers.etag) },
    });
    expect(again.status).to.equal(304);
    expect(policyOf(again)).to.include(`'${digest("1")}'`);
  });

  it("notices a script that appears", async () => {
    const root = newRoot({ "index.html": "<script src=app.js></script>" });
    const server = await serve(root);
    expect((await fetchFrom(server, "HTTP/1.1", "/")).text).to.not.include("integrity");
    writeFileSync(join(root, "app.js"), "1");
    expect((await fetchFrom(server, "HTTP/1.1", "/")).text).to.include(digest("1"));
  });

  it("sends a page that it changed without its precompressed form, other files with theirs", async () => {
    const text = "<script src=app.js></script>";
    const root = newRoot({
      "index.html": text,
      "index.html.br": brotliCompressSync(text),
      "app.js": "1",
      "app.js.br": brotliCompressSync("1"),
    });
    const server = await serve(root);
    const headers = { "accept-encoding": "br" };
    const page = await fetchFrom(server, "HTTP/1.1", "/", { headers });
    expect(page.headers).to.not.have.property("content-encoding");
    expect(page.text).to.include(digest("1"));
    const script = await fetchFrom(server, "HTTP/1.1", "/app.js", { headers });
    expect(script.headers["content-encoding"]).to.equal("br");
  });

  it("reads nothing outside the root, hidden, or by way of the page's address alone", async () => {
    writeFileSync(join(folder, "secret.js"), "secret");
    const root = newRoot({
      "docs/index.html":
        "<script src=../../secret.js></script><script src=/.env></script><script src=app.js></script>",
      ".env": "hidden",
      "docs/app.js": "docs",
      "app.js": "top",
    });
    const { text } = await fetchFrom(await serve(root), "HTTP/1.1", "/docs/");
    expect(text.match(/integrity/g)).to.have.lengthOf(1);
    expect(text).to.include(`<script integrity="${digest("docs")}" src=app.js>`);
  });

  it("gives a part of the page that was sent, by its own length", async () => {
    const root = newRoot({ "index.html": "<script src=app.js></script>", "app.js": "1" });
    const server = await serve(root);
    const whole = await fetchFrom(server, "HTTP/1.1", "/");
    const part = await fetchFrom(server, "HTTP/1.1", "/", { headers: { range: "bytes=-9" } });
    expect(part.status).to.equal(206);
    expect(part.headers["content-range"]).to.equal(
      `bytes ${whole.body.length - 9}-${whole.body.length - 1}/${whole.body.length}`,
    );
    expect(part.text).to.equal("</script>");
  });

  it("keeps a changed page in memory, whatever the greatest file is", async () => {
    const padding = "x".repeat(5000);
    const root = newRoot({ "index.html": `<script src=app.js></script>${padding}`, "app.js": "1" });
    const server = await runServer({
      root,
      pages: { integrity: true },
      memory: { maxFileBytes: 0 },
      httpPort: false,
    });
    open.push(server);
    const { text } = await fetchFrom(server, "HTTP/1.1", "/");
    expect(text).to.include(digest("1")).and.include(padding);
  });

  it("is off unless asked for", async () => {
    const root = newRoot({ "index.html": "<script src=app.js></script>", "app.js": "1" });
    const { text } = await fetchFrom(await serve(root, {}), "HTTP/1.1", "/");
    expect(text).to.equal("<script src=app.js></script>");
  });
});

describe("pages.attributeHashes", () => {
  afterEach(async () => {
    for (const server of open.splice(0)) await server.close();
  });

  it("admits the handlers of the page, and no others", async () => {
    const root = newRoot({ "index.html": "<p onclick='go()'>" });
    const sha = createHash("sha256").update("go()").digest("base64");
    const page = await fetchFrom(await serve(root, { attributeHashes: true }), "HTTP/1.1", "/");
    expect(policyOf(page)).to.include(`script-src-attr 'unsafe-hashes' 'sha256-${sha}'`);
    const without = await fetchFrom(await serve(root, {}), "HTTP/1.1", "/");
    expect(policyOf(without)).to.include("script-src-attr 'none'");
  });
});

describe("a page with a precompressed form older than it", () => {
  it("is sent as it is, with the hashes of what is sent", async () => {
    const text = "<script>1</script>";
    const root = newRoot({
      "index.html": text,
      "index.html.br": brotliCompressSync("<script>0</script>"),
    });
    const past = new Date(Date.now() - 60_000);
    utimesSync(join(root, "index.html.br"), past, past);
    const server = await serve(root, {});
    try {
      const page = await fetchFrom(server, "HTTP/1.1", "/", {
        headers: { "accept-encoding": "br" },
      });
      expect(page.text).to.equal(text);
      const sha = createHash("sha256").update("1").digest("base64");
      expect(policyOf(page)).to.include(`'sha256-${sha}'`);
    } finally {
      await server.close();
    }
  });
});
