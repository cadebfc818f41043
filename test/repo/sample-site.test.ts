import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { describe, it } from "mocha";
import { readText, repositoryRoot, writtenFiles } from "../support/repository.ts";

const pages = writtenFiles("examples/site").filter((path) => path.endsWith(".html"));

describe("the sample site", () => {
  it("states integrity values that match its files", () => {
    const script = join(repositoryRoot, "scripts", "update-integrity.js");
    const stale = execFileSync(process.execPath, [script, "--check"], { encoding: "utf8" });
    expect(stale).to.equal("");
    expect(readText("examples/site/index.html")).to.match(/integrity="sha384-[A-Za-z0-9+/]{64}"/);
  });

  for (const path of pages) {
    it(`needs nothing that a strict policy forbids: ${path}`, () => {
      const html = readText(path);
      expect(html).to.not.match(/\s(?:style|on[a-z]+)="/);
      expect(html).to.not.match(/(?:src|href)="(?:https?:)?\/\//);
      expect(html).to.not.match(/href="javascript:/);
    });
  }

  it("loads one module that imports nothing", () => {
    expect(readText("examples/site/app.js")).to.not.match(/\bimport\b/);
  });

  it("writes no markup from a script (Trusted Types)", () => {
    expect(readText("examples/site/app.js")).to.not.match(/innerHTML|outerHTML|insertAdjacentHTML/);
  });
});
