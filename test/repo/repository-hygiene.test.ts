import { homedir } from "node:os";
import { expect } from "chai";
import { describe, it } from "mocha";
import {
  type Manifest,
  readJson,
  readText,
  repositoryRoot,
  workspacePackages,
  writtenFiles,
} from "../support/repository.ts";

const BINARY = /\.(?:webp|png|ico|woff2|der|p12|br|gz|zst)$/;
const ASCII = /^[\n\x20-\x7e]*$/;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{40,}/;

const files = writtenFiles().filter((path) => !BINARY.test(path));
const root = readJson("package.json") as Manifest;
const packages = workspacePackages();

describe("the repository", () => {
  it("holds no private key outside the tests", () => {
    const outside = files.filter((path) => !path.startsWith("test/"));
    expect(outside.filter((path) => PRIVATE_KEY.test(readText(path)))).to.deep.equal([]);
  });

  it("names no path of the machine it was written on", () => {
    const paths = [repositoryRoot, `${homedir()}/`].filter((path) => path.split("/").length > 2);
    const found = files.filter((path) => {
      const text = readText(path);
      return paths.some((machinePath) => text.includes(machinePath));
    });
    expect(found).to.deep.equal([]);
  });

  it("locks dependencies by integrity, not by a registry's address", () => {
    const lockfile = readText("package-lock.json");
    expect(lockfile.match(/"resolved": "https?:[^"]*"/g) ?? []).to.deep.equal([]);
    expect(lockfile).to.include('"integrity": "sha512-');
  });

  it("keeps its sources in ASCII", () => {
    const sources = files.filter((path) =>
      /^(?:packages\/[^/]+\/(?:src|bin)|scripts|examples)\/.*\.(?:ts|js|html|css|svg)$/.test(path),
    );
    expect(sources).to.not.have.lengthOf(0);
    expect(sources.filter((path) => !ASCII.test(readText(path)))).to.deep.equal([]);
  });

  it("has decision records that are all listed in their index", () => {
    const records = writtenFiles("docs/decisions").filter((path) => /\/\d{4}-/.test(path));
    const index = readText("docs/decisions/README.md");
    const unlisted = records.filter((path) => !index.includes(`(${path.split("/").at(-1) ?? ""})`));
    expect(unlisted).to.deep.equal([]);
  });

  it("links only to files that exist", () => {
    const broken = files
      .filter((path) => path.endsWith(".md"))
      .flatMap((path) =>
        relativeLinks(readText(path))
          .map((link) => new URL(link, `file:///${path}`).pathname.slice(1))
          .filter((target) => !files.some((file) => file === target || isInside(file, target)))
          .map((target) => `${path}: ${target}`),
      );
    expect(broken).to.deep.equal([]);
  });
});

describe("every package", () => {
  for (const { folder, manifest } of packages) {
    it(`carries README and licence: ${manifest.name}`, () => {
      expect(readText(`${folder}/LICENSE`)).to.equal(readText("LICENSE"));
      expect(readText(`${folder}/README.md`)).to.match(/^# /);
    });

    it(`supports the Node versions of the workspace: ${manifest.name}`, () => {
      expect(manifest.engines).to.deep.equal(root.engines);
    });
  }

  it("has the same version, and asks for exactly that version of its siblings", () => {
    const versions = new Set(packages.map(({ manifest }) => manifest.version));
    for (const { manifest } of packages) {
      for (const [name, range] of Object.entries(manifest.dependencies ?? {})) {
        if (packages.some((sibling) => sibling.manifest.name === name)) versions.add(range);
      }
    }
    expect([...versions]).to.have.lengthOf(1);
  });
});

function relativeLinks(markdown: string): string[] {
  return [...markdown.replaceAll(/^```.*?^```/gms, "").matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
    .map((match) => match[1] ?? "")
    .filter((link) => !/^[a-z]+:/.test(link));
}

function isInside(file: string, folder: string): boolean {
  return file.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}
