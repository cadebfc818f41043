import { readFileSync, readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the repository: this file runs as build/test/support/repository.js. */
export const repositoryRoot = fileURLToPath(new URL("../../../", import.meta.url));

const GENERATED = new Set([".git", "node_modules", "dist", "build"]);

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** One folder of packages/, as it stands in the source tree. */
export interface WorkspacePackage {
  /** Path from the root, such as "packages/cert". */
  readonly folder: string;
  /** Folder name, such as "cert". */
  readonly id: string;
  readonly manifest: Manifest;
  /** Paths of the TypeScript modules from the root. */
  readonly sources: readonly string[];
}

/** Returns the text of the file at `path`, counted from the root. */
export function readText(path: string): string {
  return readFileSync(join(repositoryRoot, path), "utf8");
}

/** Returns the JSON value in the file at `path`, counted from the root. */
export function readJson(path: string): unknown {
  return JSON.parse(readText(path));
}

/**
 * Returns the paths of all files under `folder` that are written by people, with "/" between the
 * parts and counted from the root. Without `folder`: of the whole repository.
 */
export function writtenFiles(folder = "."): string[] {
  const entries = readdirSync(join(repositoryRoot, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = relative(repositoryRoot, join(repositoryRoot, folder, entry.name));
    if (entry.isDirectory()) return GENERATED.has(entry.name) ? [] : writtenFiles(path);
    const isCertificate = path.startsWith(`certs-dev${sep}`) && !path.endsWith("README.md");
    return entry.isFile() && !isCertificate ? [path.split(sep).join("/")] : [];
  });
}

/** Returns every package of the workspace. */
export function workspacePackages(): WorkspacePackage[] {
  return readdirSync(join(repositoryRoot, "packages")).map((id) => ({
    folder: `packages/${id}`,
    id,
    manifest: readJson(`packages/${id}/package.json`) as Manifest,
    sources: writtenFiles(`packages/${id}/src`).filter((path) => /(?<!\.d)\.ts$/.test(path)),
  }));
}

/** Returns the modules that the TypeScript source imports or re-exports, types included. */
export function importedModules(source: string): string[] {
  const statements = source.matchAll(
    /^(?:import|export)\b[^;"']*?from\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']|^import\s*["']([^"']+)["']/gm,
  );
  return [...statements].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

/** Returns the package that a module specifier names: "@scope/name" of "@scope/name/sub". */
export function packageOf(specifier: string): string {
  const [first = "", second = ""] = specifier.split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}
