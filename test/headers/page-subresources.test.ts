import { pageSubresources } from "@hauberk/headers";
import { expect } from "chai";
import { describe, it } from "mocha";

const DIGEST = `sha384-${"A".repeat(64)}`;

function pathsOf(page: string, pagePath = "/docs/"): readonly string[] {
  return pageSubresources(page, pagePath).paths;
}

/** Gives every path its digest, and shows where it came in as `[i]`. */
function marked(page: string | Uint8Array): string {
  const resources = pageSubresources(page, "/");
  const digests = new Map(resources.paths.map((path) => [path, DIGEST]));
  const written = resources.addIntegrity(digests).toString("latin1");
  return written.replaceAll(` integrity="${DIGEST}"`, "[i]");
}

describe("pageSubresources()", () => {
  for (const tag of [
    "<script src=a.js></script>",
    "<script type=module src=a.js></script>",
    "<link rel=stylesheet href=a.js>",
    "<link rel=modulepreload href=a.js>",
    "<link rel=preload as=style href=a.js>",
    "<template><script src=a.js></script></template>",
  ]) {
    it(`finds ${tag}`, () => {
      expect(pathsOf(tag)).to.deep.equal(["/docs/a.js"]);
    });
  }

  for (const tag of [
    `<script src=a.js integrity=${DIGEST}></script>`,
    "<script src=a.js integrity></script>",
    "<script>1</script>",
    "<script src=a.json type=application/json></script>",
    "<script src=https://cdn.example/a.js></script>",
    "<script src=//cdn.example/a.js></script>",
    "<script src='data:text/javascript,1'></script>",
    "<script src='http://['></script>",
    "<svg><script href=a.js /></svg>",
    "<link rel=preload as=image href=a.png>",
    "<link rel=icon href=a.png>",
    "<!-- <script src=a.js></script> -->",
  ]) {
    it(`passes over ${tag}`, () => {
      expect(pathsOf(tag)).to.deep.equal([]);
    });
  }

  it("resolves addresses against the page, and against its base from there on", () => {
    const page =
      "<script src='../a.js?v=1#x'></script><base href='/lib/'><base href='/not/'>" +
      "<script src='./b c.js'></script><script src='\u00e9.js'></script>";
    expect(pathsOf(page)).to.deep.equal(["/a.js?v=1", "/lib/b%20c.js", "/lib/%C3%A9.js"]);
  });

  it("takes nothing for local behind a foreign base", () => {
    expect(pathsOf("<base href=https://cdn.example/><script src=a.js></script>")).to.deep.equal([]);
  });

  it("names a path once and marks every tag of it", () => {
    const page = "<link rel=preload as=script href=/a.js>\r\n<script src=/a.js></script>";
    expect(pathsOf(page)).to.deep.equal(["/a.js"]);
    expect(marked(page)).to.equal(
      "<link[i] rel=preload as=script href=/a.js>\r\n<script[i] src=/a.js></script>",
    );
  });

  it("keeps every other byte: a byte order mark, CRLF, invalid UTF-8", () => {
    const page = Buffer.from(
      "\xef\xbb\xbf<p>\xc3\xa9\xff\r\n<script src=/a.js></script>",
      "latin1",
    );
    expect(marked(page)).to.equal("\xef\xbb\xbf<p>\xc3\xa9\xff\r\n<script[i] src=/a.js></script>");
  });

  it("leaves a page in UTF-16 as it is", () => {
    const page = Buffer.from("\uFEFF<script src=/a.js></script>", "utf16le");
    const resources = pageSubresources(page, "/");
    expect(resources.paths).to.deep.equal([]);
    expect(resources.addIntegrity(new Map()).equals(page)).to.equal(true);
  });

  it("refuses what would not be an integrity", () => {
    const resources = pageSubresources("<script src=/a.js></script>", "/");
    const hostile = new Map([["/a.js", `"><script>`]]);
    expect(() => resources.addIntegrity(hostile)).to.throw(TypeError, /integrity of \/a\.js/);
  });

  it("refuses a page path that would name another host", () => {
    expect(() => pageSubresources("", "//evil.example/")).to.throw(TypeError, /pagePath/);
  });
});
