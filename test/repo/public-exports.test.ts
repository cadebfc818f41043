import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { describe, it } from "mocha";
import { readJson, readText, repositoryRoot, workspacePackages } from "../support/repository.ts";

/**
 * The public names of every package, values and types. A change here is a change of the API: it
 * belongs into the changelog.
 */
const snapshot = readJson("test/repo/public-exports.json") as Readonly<
  Record<string, readonly string[]>
>;

const packages = workspacePackages().filter(({ folder }) =>
  existsSync(join(repositoryRoot, folder, "src", "index.ts")),
);

describe("public exports", () => {
  it("are listed for exactly the packages there are", () => {
    const names = packages.map(({ manifest }) => manifest.name);
    expect(Object.keys(snapshot).toSorted()).to.deep.equal(names.toSorted());
  });

  for (const { folder, manifest } of packages) {
    const declared = exportedNames(readText(`${folder}/src/index.ts`));

    it(`of ${manifest.name} are those listed in public-exports.json`, () => {
      const names = [...declared.values, ...declared.types].toSorted();
      expect(names, JSON.stringify(names)).to.deep.equal(snapshot[manifest.name]);
    });

    it(`of ${manifest.name} exist at run time`, async () => {
      const module = (await import(manifest.name)) as Record<string, unknown>;
      expect(Object.keys(module).toSorted()).to.deep.equal(declared.values.toSorted());
    });

    it(`of ${manifest.name} are each named in index.ts`, () => {
      expect(readText(`${folder}/src/index.ts`)).to.not.match(/^export (?:\*|default)/m);
    });
  }
});

/** Reads `export { a, b as c, type D } from`, `export type { E } from` and exported declarations. */
function exportedNames(source: string): { values: string[]; types: string[] } {
  const values: string[] = [];
  const types: string[] = [];
  for (const [, isType, list = ""] of source.matchAll(/^export (type )?\{([^}]*)\}/gm)) {
    for (const item of list.split(",").map((part) => part.trim())) {
      if (item === "") continue;
      const name = item.replace(/^type /, "").replace(/^.* as /, "");
      (isType !== undefined || item.startsWith("type ") ? types : values).push(name);
    }
  }
  const declarations = /^export (?:async )?(function|class|const|interface|type) (\w+)/gm;
  for (const [, kind = "", name = ""] of source.matchAll(declarations)) {
    (kind === "interface" || kind === "type" ? types : values).push(name);
  }
  return { values, types };
}
