import {
  compileSecurityHeaders,
  inlineHashes,
  type SecurityHeadersOptions,
} from "@hauberk/headers";
import { expect } from "chai";
import { describe, it } from "mocha";
import { browse, type Site, type Visit } from "../support/browse.ts";
import { requireProgram } from "../support/external.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const HTML = ["content-type", "text/html; charset=utf-8"];
const SCRIPT = ["content-type", "text/javascript"];

/** Every header that this package can send, those that report among them. */
const EVERY_HEADER: SecurityHeadersOptions = {
  preset: "strict",
  reportingEndpoints: { csp: "/reports", default: "/reports" },
  contentSecurityPolicyReportOnly: { directives: { reportTo: ["csp"] } },
  crossOriginOpenerPolicy: { reportTo: "csp" },
  crossOriginOpenerPolicyReportOnly: { policy: "noopener-allow-popups", reportTo: "csp" },
  crossOriginEmbedderPolicy: { reportTo: "csp" },
  crossOriginEmbedderPolicyReportOnly: { policy: "credentialless", reportTo: "csp" },
  permissionsPolicy: { camera: { allow: ["self"], reportTo: "csp" } },
  permissionsPolicyReportOnly: { microphone: [], usb: ["self", "https://a.example"] },
  documentPolicy: { "force-load-at-top": true, "js-profiling": false, reportTo: "csp" },
  documentPolicyReportOnly: { "force-load-at-top": true },
  integrityPolicy: { endpoints: ["csp"] },
  integrityPolicyReportOnly: { blockedDestinations: ["script"], endpoints: ["csp"] },
};

function siteOf(
  page: string,
  options: SecurityHeadersOptions,
  scripts: Readonly<Record<string, string>> = {},
): Site {
  const headers = compileSecurityHeaders(options);
  const plain = { secure: false };
  const fields = headers.fieldsWithHashes({ ...plain, hashes: inlineHashes(page) });
  const files = Object.entries(scripts).map(([path, body]): [string, Site[string]] => [
    path,
    { fields: [...SCRIPT, ...headers.fields(plain)], body },
  ]);
  return { "/": { fields: [...HTML, ...fields], body: page }, ...Object.fromEntries(files) };
}

function classesOf({ document }: Visit): string[] {
  return (/<body[^>]* class="([^"]*)"/.exec(document)?.[1] ?? "").split(" ").toSorted();
}

const mark = (name: string): string => `document.body.classList.add("${name}");`;
const HEAD = `<!doctype html><meta charset=utf-8><title>page</title><link rel=icon href="data:,">`;

describe("Chromium", function () {
  this.timeout(60_000);
  const profile = tempDirectory();

  it("understands every header: not a word on the console", async function () {
    const chromium = requireProgram(this, "chromium");
    const page = `${HEAD}<body><script>${mark("ran")}</script>`;
    const visit = await browse(chromium, profile, siteOf(page, EVERY_HEADER));
    expect(visit.console).to.deep.equal([]);
    expect(classesOf(visit)).to.deep.equal(["ran"]);
  });

  it("complains of a header it does not understand, so that silence means something", async function () {
    const chromium = requireProgram(this, "chromium");
    const { "/": answer } = siteOf(`${HEAD}<body>`, {});
    const fields = [...(answer?.fields ?? []), "permissions-policy", "camera=(none 'self'"];
    const visit = await browse(chromium, profile, { "/": { fields, body: `${HEAD}<body>` } });
    expect(visit.console).to.have.length.greaterThan(0);
  });

  it("blocks a script without integrity under integrityPolicy", async function () {
    const chromium = requireProgram(this, "chromium");
    const page = `${HEAD}<body><script src=/a.js></script>`;
    const scripts = { "/a.js": mark("external") };
    const open = await browse(chromium, profile, siteOf(page, {}, scripts));
    expect(classesOf(open)).to.deep.equal(["external"]);
    const closed = await browse(
      chromium,
      profile,
      siteOf(page, { integrityPolicy: true }, scripts),
    );
    expect(classesOf(closed)).to.deep.equal([""]);
  });

  it("runs a bundle, its chunks, injected styles and blob workers under spa, and no injected script", async function () {
    const chromium = requireProgram(this, "chromium");
    const page = `${HEAD}<body><p onclick="${mark("handler")}">text</p><script type=module src=/main.js></script>`;
    const main = `
      import("/chunk.js");
      document.head.append(Object.assign(document.createElement("style"), { textContent: "p { color: rgb(0, 128, 0) }" }));
      if (getComputedStyle(document.querySelector("p")).color === "rgb(0, 128, 0)") ${mark("styled")}
      const worker = new Worker(URL.createObjectURL(new Blob(["postMessage(1)"])));
      worker.onmessage = () => { ${mark("worker")} };
      document.querySelector("p").click();
      document.body.append(Object.assign(document.createElement("script"), { textContent: '${mark("injected")}' }));
    `;
    const site = siteOf(page, { preset: "spa" }, { "/main.js": main, "/chunk.js": mark("chunk") });
    const visit = await browse(chromium, profile, site);
    expect(classesOf(visit)).to.deep.equal(["chunk", "styled", "worker"]);
    expect(visit.console).to.have.length(2);
  });
});
