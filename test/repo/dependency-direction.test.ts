import { expect } from "chai";
import { describe, it } from "mocha";
import {
  importedModules,
  packageOf,
  readJson,
  readText,
  workspacePackages,
} from "../support/repository.ts";

const LEAVES = ["cert", "tls", "headers", "rate-limit"];

/** The packages that each package may import; a package that is not listed may import none. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  server: LEAVES,
  scan: ["cert", "tls", "headers"],
  cli: [...LEAVES, "server", "scan"],
};

const packages = workspacePackages();
const idByName = new Map(packages.map(({ manifest, id }) => [manifest.name, id]));

describe("dependency direction", () => {
  for (const { id, folder, manifest, sources } of packages) {
    const allowed = MAY_IMPORT[id] ?? [];
    const siblings = Object.keys(manifest.dependencies ?? {})
      .map((name) => idByName.get(name))
      .filter((name) => name !== undefined);

    it(`lets ${id} depend only on ${allowed.join(", ") || "no sibling"}`, () => {
      expect(siblings.filter((name) => !allowed.includes(name))).to.deep.equal([]);
    });

    it(`repeats the manifest of ${id} in its project references`, () => {
      const { references = [] } = readJson(`${folder}/tsconfig.json`) as {
        references?: { path: string }[];
      };
      const referenced = references.map(({ path }) => path.replace("../", ""));
      expect(referenced.toSorted()).to.deep.equal(siblings.toSorted());
    });

    it(`lets the sources of ${id} import only what its manifest names`, () => {
      const named = new Set([
        ...Object.keys(manifest.dependencies ?? {}),
        ...Object.keys(manifest.peerDependencies ?? {}),
        ...Object.keys(manifest.optionalDependencies ?? {}),
      ]);
      const unnamed = sources.flatMap((path) =>
        importedModules(readText(path))
          .filter((specifier) => !specifier.startsWith(".") && !specifier.startsWith("node:"))
          .filter((specifier) => !named.has(packageOf(specifier)))
          .map((specifier) => `${path}: ${specifier}`),
      );
      expect(unnamed).to.deep.equal([]);
    });
  }

  it("lets one source file import each third-party library", () => {
    const importers = new Map<string, string[]>();
    for (const { manifest, sources } of packages) {
      for (const library of Object.keys(manifest.dependencies ?? {})) {
        if (idByName.has(library)) continue;
        const files = sources.filter((path) =>
          importedModules(readText(path)).some((specifier) => packageOf(specifier) === library),
        );
        importers.set(library, [...(importers.get(library) ?? []), ...files]);
      }
    }
    expect([...importers.keys()]).to.include.members(["helmet", "node-forge", "parse5", "pino"]);
    expect(
      [...importers].filter(([, files]) => files.length !== 1),
      "libraries that no file or several files import",
    ).to.deep.equal([]);
  });
});
