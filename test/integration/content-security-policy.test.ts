import { createHash } from "node:crypto";
import { compileSecurityHeaders, createNonce, inlineHashes } from "@hauberk/headers";
import { expect } from "chai";
import { describe, it } from "mocha";
import { browse, type Site, type Visit } from "../support/browse.ts";
import { requireProgram } from "../support/external.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const MODULE = `import "/imported.js"; document.body.classList.add("module");`;
const IMPORTED = `document.body.classList.add("imported");`;

function integrity(text: string): string {
  return `sha384-${createHash("sha384").update(text).digest("base64")}`;
}

function mark(name: string): string {
  return `document.body.classList.add("${name}");`;
}

const IMPORT_MAP = JSON.stringify({ integrity: { "/imported.js": integrity(IMPORTED) } });

/** Every kind of inline content that runs, with line ends and characters that spoil naive hashes. */
const PAGE = Buffer.from(
  [
    `\uFEFF<!doctype html><meta charset=utf-8><title>page</title><link rel=icon href="data:,">`,
    `<script type=importmap>${IMPORT_MAP}</script>`,
    `<link rel=stylesheet href=/style.css><style>`,
    `p { color: rgb(0, 128, 0) }</style><style></style>`,
    `<noscript><style>p { color: red }</style></noscript><body><p>text</p>`,
    `<div><template shadowrootmode=open><style>b { color: red }</style></template></div>`,
    `<script>`,
    `${mark("classic")} // é \u{1f600}`,
    `</script>`,
    `<script type='module'>${mark("inline-module")}</script>`,
    `<script type=module src=/module.js integrity=${integrity(MODULE)}></script>`,
    `<svg><style>a { fill: red }</style><script>if (1 &lt; 2) ${mark("svg")}</script></svg>`,
    `<script type=application/json>{"not": "run"}</script>`,
    `<script type=speculationrules>{"prefetch": []}</script>`,
    `<iframe srcdoc="<script>parent.document.body.classList.add('frame')</script>"></iframe>`,
    `<script>if (getComputedStyle(document.querySelector("p")).color === "rgb(0, 128, 0)") ${mark("styled")}</script>`,
    `</body>`,
  ].join("\r\n"),
);

const RAN = ["classic", "frame", "imported", "inline-module", "module", "styled", "svg"];

const HTML = ["content-type", "text/html; charset=utf-8"];
const SCRIPT = ["content-type", "text/javascript"];

const compiled = compileSecurityHeaders({ preset: "strict" });
const plain = { secure: false };
const subresources: Site = {
  "/module.js": { fields: [...SCRIPT, ...compiled.fields(plain)], body: MODULE },
  "/imported.js": { fields: [...SCRIPT, ...compiled.fields(plain)], body: IMPORTED },
  "/style.css": { fields: ["content-type", "text/css", ...compiled.fields(plain)], body: "" },
};

function classesOf({ document }: Visit): string[] {
  return (/<body[^>]* class="([^"]*)"/.exec(document)?.[1] ?? "").split(" ").toSorted();
}

describe("the strict policy in Chromium", function () {
  this.timeout(60_000);
  const profile = tempDirectory();

  it("runs a static page by its hashes, without a word on the console", async function () {
    const chromium = requireProgram(this, "chromium");
    const fields = compiled.fieldsWithHashes({ ...plain, hashes: inlineHashes(PAGE) });
    const visit = await browse(chromium, profile, {
      ...subresources,
      "/": { fields: [...HTML, ...fields], body: PAGE },
    });
    expect(visit.console).to.deep.equal([]);
    expect(classesOf(visit)).to.deep.equal(RAN);
  });

  it("blocks a script that was injected after the page was hashed", async function () {
    const chromium = requireProgram(this, "chromium");
    const fields = compiled.fieldsWithHashes({ ...plain, hashes: inlineHashes(PAGE) });
    const injected = PAGE.toString().replace("</body>", `<script>${mark("evil")}</script></body>`);
    const visit = await browse(chromium, profile, {
      ...subresources,
      "/": { fields: [...HTML, ...fields], body: injected },
    });
    expect(classesOf(visit)).to.deep.equal(RAN);
    expect(visit.console).to.have.length(1);
    expect(visit.console[0]).to.include("Executing inline script violates");
  });

  it("runs the scripts that carry the nonce, and what they import, and no other", async function () {
    const chromium = requireProgram(this, "chromium");
    const nonce = createNonce();
    const body =
      `<!doctype html><title>page</title><link rel=icon href="data:,">` +
      `<style nonce=${nonce}>p { color: rgb(0, 128, 0) }</style><body><p>text</p>` +
      `<script nonce=${nonce}>${mark("classic")}</script>` +
      `<script nonce=${nonce} type=module src=/module.js></script>` +
      `<script nonce=${createNonce()}>${mark("evil")}</script></body>`;
    const visit = await browse(chromium, profile, {
      ...subresources,
      "/": { fields: [...HTML, ...compiled.fieldsWithNonce({ ...plain, nonce })], body },
    });
    expect(classesOf(visit)).to.deep.equal(["classic", "imported", "module"]);
    expect(visit.console).to.have.length(1);
  });
});
