// @ts-check
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./ensure-built.js";

const FOLDER = join(ROOT, "build", "readme");
const BLOCK = /^```ts\n(?<code>.*?)^```$/gms;

const readmes = ["README.md"]
  .concat(readdirSync(join(ROOT, "packages")).map((name) => `packages/${name}/README.md`))
  .concat(readdirSync(join(ROOT, "docs", "guides")).map((name) => `docs/guides/${name}`))
  .filter((file) => existsSync(join(ROOT, file)));

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const modules = readmes.flatMap(extractModules);
for (const { file, source } of modules) writeFileSync(join(FOLDER, file), source);
writeFileSync(
  join(FOLDER, "tsconfig.json"),
  JSON.stringify({
    extends: "../../tsconfig.base.json",
    compilerOptions: {
      noEmit: true,
      composite: false,
      declarationMap: false,
      isolatedDeclarations: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      rewriteRelativeImportExtensions: false,
    },
    files: modules.map(({ file }) => file),
  }),
);

if (modules.length > 0) {
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", ".", "--pretty", "false"], {
    cwd: FOLDER,
    encoding: "utf8",
  });
  const byFile = new Map(modules.map(({ file, readme }) => [file, readme]));
  process.stdout.write(
    stdout.replace(/^(?:\.\/)?(\S+\.ts)(?=\()/gm, (file) => byFile.get(file) ?? file),
  );
  process.exitCode = status ?? 1;
}

/**
 * Each block becomes a module of its own that starts on the line where the block stands, so that
 * the compiler's line numbers are those of the README.
 *
 * @param {string} readme
 */
function extractModules(readme) {
  const text = readFileSync(join(ROOT, readme), "utf8");
  return [...text.matchAll(BLOCK)].map(({ index, groups }) => {
    const line = text.slice(0, index).split("\n").length + 1;
    return {
      readme,
      file: `${readme.replaceAll(/[/.]/g, "-")}-${line}.ts`,
      source: `${"\n".repeat(line - 1)}${groups?.["code"] ?? ""}\nexport {};\n`,
    };
  });
}
