// @ts-check
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { ROOT } from "./ensure-built.js";

const REQUIRED = ["LICENSE", "README.md", "package.json"];
const ALLOWED = /^(?:LICENSE|README\.md|package\.json|bin\/.+\.js|(?:dist|src)\/.+)$/;
const UNWANTED = /(?:^|\/)tests?\/|\.test\.|\.tsbuildinfo$|\.(?:pem|key|p12)$/;

const findings = [...checkContents()];
for (const name of readdirSync(join(ROOT, "packages"))) {
  const { messages, pkg } = await publint({
    pkgDir: join(ROOT, "packages", name),
    pack: "npm",
    strict: true,
  });
  for (const message of messages) {
    findings.push(
      `${pkg["name"]}: ${formatMessage(message, pkg, { color: false }) ?? message.code}`,
    );
  }
}
for (const finding of findings) process.stderr.write(`${finding}\n`);
process.exitCode = findings.length === 0 ? 0 : 1;

/** @returns {Generator<string, void>} one finding for each file that is missing from or too much in a package */
function* checkContents() {
  const packed = execFileSync("npm", ["pack", "--dry-run", "--json", "--workspaces"], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const packages = /** @type {{ name: string, files: { path: string }[] }[]} */ (
    JSON.parse(packed)
  );
  for (const { name, files } of packages) {
    const paths = files.map((file) => file.path);
    const compiled = paths
      .map((path) => /^src\/(.+)(?<!\.d)\.ts$/.exec(path)?.[1])
      .filter((module) => module !== undefined)
      .flatMap((module) => [`dist/${module}.js`, `dist/${module}.d.ts`]);
    for (const path of [...REQUIRED, ...compiled].filter((wanted) => !paths.includes(wanted))) {
      yield `${name}: the package lacks ${path}`;
    }
    for (const path of paths.filter((found) => !ALLOWED.test(found) || UNWANTED.test(found))) {
      yield `${name}: the package must not contain ${path}`;
    }
  }
}
