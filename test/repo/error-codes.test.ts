import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { describe, it } from "mocha";
import { readText, repositoryRoot, workspacePackages } from "../support/repository.ts";

const packages = workspacePackages()
  .filter(({ folder }) => existsSync(join(repositoryRoot, folder, "src", "errors.ts")))
  .map((entry) => ({ ...entry, codes: codesIn(readText(`${entry.folder}/src/errors.ts`)) }));

describe("error codes", () => {
  it("each have a section in docs/errors.md", () => {
    const codes = packages.flatMap((entry) => entry.codes);
    const documented = documentedCodes();
    expect(codes.filter((code) => !documented.includes(code))).to.deep.equal([]);
  });

  it("have no section in docs/errors.md once they are gone", () => {
    const codes = packages.flatMap((entry) => entry.codes);
    expect(documentedCodes().filter((code) => !codes.includes(code))).to.deep.equal([]);
  });

  it("have one section each", () => {
    const documented = documentedCodes();
    expect(documented).to.deep.equal([...new Set(documented)]);
  });

  for (const { id, folder, codes, sources } of packages) {
    it(`of ${id} are each used outside errors.ts`, () => {
      const literals = sources
        .filter((path) => path !== `${folder}/src/errors.ts`)
        .flatMap((path) => [...readText(path).matchAll(/"([A-Z][A-Z0-9_]+)"/g)])
        .map((match) => match[1] ?? "");
      const isUsed = (code: string): boolean =>
        literals.some((literal) => code === literal || code.endsWith(`_${literal}`));
      expect(codes.filter((code) => !isUsed(code))).to.deep.equal([]);
    });

    it(`of ${id} are named in its README`, () => {
      const readme = readText(`${folder}/README.md`);
      expect(codes.filter((code) => !readme.includes(code))).to.deep.equal([]);
    });
  }
});

function documentedCodes(): string[] {
  const headings = readText("docs/errors.md").matchAll(/^#{2,3} `?(ERR_[A-Z0-9_]+)`?$/gm);
  return [...headings].map((match) => match[1] ?? "");
}

function codesIn(source: string): string[] {
  return [...new Set([...source.matchAll(/"(ERR_[A-Z0-9_]+)"/g)].map((match) => match[1] ?? ""))];
}
