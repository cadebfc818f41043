import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { brotliCompressSync } from "node:zlib";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { launchChromium, type Chromium, type Page } from "../support/chromium.ts";
import { requireProgram } from "../support/external.ts";
import { trustAuthority } from "../support/nss-database.ts";
import { reportEntry } from "../support/report-entries.ts";
import { runServer, type RunningServer } from "../support/running-server.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { watchedStore, type WatchedStore } from "../support/watched-store.ts";

const IMPORTED = `export const name = "imported";`;
const MODULE = `import { name } from "lib"; document.body.classList.add("module", name);`;

function integrity(text: string): string {
  return `sha384-${createHash("sha384").update(text).digest("base64")}`;
}

function mark(name: string): string {
  return `document.body.classList.add("${name}");`;
}

const IMPORT_MAP = JSON.stringify({
  imports: { lib: "/lib.js" },
  integrity: { "/lib.js": integrity(IMPORTED) },
});

/** Every kind of content that runs, after a byte order mark, with CRLF and text outside ASCII. */
const PAGE = [
  `\uFEFF<!doctype html><meta charset=utf-8><title>page</title><link rel=icon href="data:,">`,
  `<script type=importmap>${IMPORT_MAP}</script>`,
  `<link rel=stylesheet href=style.css>`,
  `<style>`,
  `b { color: rgb(0, 0, 128) }`,
  `</style>`,
  `<body><p>text</p><b>bold</b><i style="color: rgb(128, 0, 0)">italic</i>`,
  `<button onclick='${mark("handler")}`,
  `document.body.classList.add(&quot;handler-line-2&quot;)'>press</button>`,
  `<script>`,
  `${mark("classic")} // \u00e9 \u{1f600}`,
  `</script>`,
  `<script src="app.js?v=1"></script>`,
  `<script type=module src=/module.js></script>`,
  `<script type=module>${mark("inline-module")}</script>`,
  `<script>`,
  `const colors = ["p", "b", "i"].map((tag) => getComputedStyle(document.querySelector(tag)).color);`,
  `if (colors.join() === "rgb(0, 128, 0),rgb(0, 0, 128),rgb(128, 0, 0)") ${mark("styled")}`,
  `document.querySelector("button").click();`,
  `</script></body>`,
].join("\r\n");

const RAN = [
  "classic",
  "external",
  "handler",
  "handler-line-2",
  "imported",
  "inline-module",
  "module",
  "styled",
];

const COMPRESSED = `<!doctype html><title>page</title><link rel=icon href="data:,"><body><script>\r\n${mark("compressed")}</script></body>`;

const FILES: Readonly<Record<string, string | Buffer>> = {
  "index.html": PAGE,
  "app.js": mark("external"),
  "module.js": MODULE,
  "lib.js": IMPORTED,
  "style.css": "p { color: rgb(0, 128, 0) }",
  "compressed.html": COMPRESSED,
  "compressed.html.br": brotliCompressSync(COMPRESSED),
};

const INJECTED = `<script>${mark("evil")}</script><img src="https://cdn.example/pixel.png?user=secret" alt="">`;

/** Contrast of two colours, 1 to 21 (WCAG 2.2), in the page. */
const CONTRAST = `(a, b) => {
  const luminance = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map((value) => value / 255)
      .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}`;

describe("reports in Chromium", function () {
  this.timeout(30_000);
  const folder = tempDirectory();
  let store: WatchedStore;
  let server: RunningServer;
  let browser: Chromium;
  let origin: string;

  before(async function () {
    const program = requireProgram(this, "chromium");
    const certutil = requireProgram(this, "certutil");
    for (const [name, content] of Object.entries(FILES)) writeFileSync(join(folder, name), content);
    store = watchedStore();
    server = await runServer({
      root: folder,
      headers: { preset: "strict" },
      pages: { integrity: true, attributeHashes: true },
      reports: { store, minReporters: 1 },
    });
    origin = `https://127.0.0.1:${server.port}`;
    const home = tempDirectory();
    const caFile = join(home, "ca.pem");
    writeFileSync(caFile, server.ca);
    trustAuthority(certutil, home, caFile);
    browser = launchChromium(program, home, ["--short-reporting-delay"]);
  });

  after(async () => {
    await browser.close();
    await server.close();
  });

  async function openPage(path: string, change?: (html: string) => string): Promise<Page> {
    const page = await browser.openPage();
    if (change !== undefined) await page.rewriteDocuments(change);
    await page.visit(origin + path);
    return page;
  }

  /** Opens the page of reports. Its sandbox has no timers, so whether it is there is asked from outside. */
  async function openReports(scheme = "light"): Promise<Page> {
    const page = await browser.openPage();
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await page.send("Emulation.setEmulatedMedia", { features });
    await page.send("Page.navigate", { url: `${origin}/.well-known/reports/` });
    while ((await page.evaluate(`document.readyState`)) !== "complete") await nextTurn();
    return page;
  }

  async function classes(page: Page): Promise<unknown> {
    await page.waitUntil(
      `document.body.classList.contains("module") || document.scripts.length < 2`,
    );
    return page.evaluate(`[...document.body.classList].sort()`);
  }

  it("are none for a page whose content is all its own: CRLF, BOM, module, import map, handler", async () => {
    const page = await openPage("/");
    expect(await classes(page)).to.deep.equal(RAN);
    expect(page.complaints).to.deep.equal([]);
    expect(store.entries()).to.deep.equal([]);
  });

  it("are none for a page that is sent precompressed", async () => {
    const page = await openPage("/compressed.html");
    expect(await page.evaluate(`document.body.className`)).to.equal("compressed");
    expect(page.complaints).to.deep.equal([]);
    expect(store.entries()).to.deep.equal([]);
  });

  it("arrive about an injected script and image, which are blocked, without their queries", async () => {
    const page = await openPage("/", (html) => html.replace("</body>", `${INJECTED}</body>`));
    expect(await classes(page)).to.deep.equal(RAN);
    const script = await store.waitFor(({ directive }) => directive === "script-src-elem");
    expect(script).to.include({
      kind: "csp",
      blocked: "inline",
      page: `${origin}/`,
      disposition: "enforce",
    });
    const image = await store.waitFor(({ directive }) => directive === "img-src");
    expect(image.blocked).to.equal("https://cdn.example/pixel.png");
    expect(JSON.stringify(store.entries())).to.not.include("secret");
  });

  it("lead to a proposal that admits the image and never the inline script", async () => {
    const page = await openReports();
    const added = await page.evaluate(
      `[...document.querySelectorAll("ins")].map((line) => line.textContent)`,
    );
    expect(added).to.deep.equal(["+   https://cdn.example"]);
    const text = String(await page.evaluate(`document.body.innerText`));
    expect(text).to.match(/inline\s+script-src-elem\s+1\s+1\s+inline code without nonce or hash/);
    expect(text).to.include("https://cdn.example/pixel.png");
    expect(page.complaints).to.deep.equal([]);
  });

  for (const scheme of ["light", "dark"]) {
    it(`are readable in a ${scheme} page: every text has a contrast of at least 4.5`, async () => {
      const page = await openReports(scheme);
      const least = await page.evaluate(`(() => {
        const contrast = ${CONTRAST};
        const backOf = (element) => {
          const { backgroundColor } = getComputedStyle(element);
          return /, 0\\)$/.test(backgroundColor) ? backOf(element.parentElement) : backgroundColor;
        };
        const texts = [...document.querySelectorAll("body *")].filter((element) =>
          [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "") &&
          element.tagName.toLowerCase() !== "title" && element.getClientRects().length > 0);
        return Math.min(...texts.map((element) => {
          const { color, fill } = getComputedStyle(element);
          return contrast(element.closest("svg") === null ? color : fill, backOf(element.closest("svg")?.parentElement ?? element));
        }));
      })()`);
      expect(least).to.be.at.least(4.5);
      const background = await page.evaluate(`getComputedStyle(document.body).backgroundColor`);
      expect(background).to.equal(scheme === "dark" ? "rgb(17, 22, 28)" : "rgb(246, 247, 249)");
    });
  }

  it("run nothing on their page, whatever they hold (stored XSS)", async () => {
    const hostile = [
      `<script>document.title = "evil"</script>`,
      `"><img src=x onerror='document.title = "evil"'>`,
      `</style><svg onload='document.title = "evil"'>`,
      `</pre></section><a href="javascript:document.title='evil'">x</a>`,
    ];
    await store.add(
      hostile.map((text) =>
        reportEntry({ blocked: text, sample: text, source: text, page: text, lastAt: Date.now() }),
      ),
    );
    const page = await openReports();
    expect(await page.evaluate(`document.title`)).to.equal("Policy reports");
    const selector = "script, img, a, [onload], [onerror], iframe, style ~ style";
    expect(await page.evaluate(`document.querySelectorAll("${selector}").length`)).to.equal(0);
    expect(await page.evaluate(`document.body.innerText`)).to.include(hostile[0]);
    expect(page.complaints).to.deep.equal([]);
  });
});
