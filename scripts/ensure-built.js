// @ts-check
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { satisfiesRange } from "./node-range.js";
import { withLock } from "./setup-lock.js";
import { removeStaleOutputs } from "./stale-outputs.js";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * npm hands the settings of the command it runs on to its children. These would make the install
 * go elsewhere, leave parts out or do nothing (`npm --global`, `npm start --workspace=...`).
 */
const FOREIGN_NPM_SETTINGS = new Set(
  ["dry_run", "global", "location", "omit", "only", "package_lock_only", "prefix", "production"]
    .concat(["local_prefix", "workspace", "workspaces"])
    .map((name) => `npm_config_${name}`),
);

/**
 * Installs the dependencies when node_modules does not match package-lock.json and builds what is
 * out of date. Prints one line for each of the two that it did, nothing when all is current; ends
 * the process with exit code 1 and the tool's output when one fails.
 *
 * @param {readonly string[]} projects folders of TypeScript projects; none means the whole repository
 * @returns {void}
 */
export function ensureBuilt(projects = []) {
  try {
    /** @type {{ engines: { node: string } }} */
    const { engines } = readJson("package.json");
    if (!satisfiesRange(process.versions.node, engines.node)) {
      throw new Error(`Cannot build with Node ${process.versions.node}: needed is ${engines.node}`);
    }
    withLock(join(ROOT, "build", "setup.lock"), reportWait, () => {
      if (!isInstalled()) install();
      build(projects);
    });
  } catch (error) {
    report(error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
}

/**
 * @typedef {{ version?: string, integrity?: string, resolved?: string, link?: boolean, optional?: boolean }} LockEntry
 * @typedef {{ packages: Record<string, LockEntry> }} Lockfile
 */

/**
 * Compares what npm wrote about node_modules with the lockfile by content. Modification times say
 * nothing here: git sets them at every checkout.
 */
function isInstalled() {
  if (!existsSync(join(ROOT, "node_modules", ".package-lock.json"))) return false;
  /** @type {Lockfile} */
  const wanted = readJson("package-lock.json");
  /** @type {Lockfile} */
  const installed = readJson("node_modules/.package-lock.json");
  return (
    Object.entries(wanted.packages).every(([path, entry]) => {
      const found = installed.packages[path];
      if (found === undefined) return path === "" || entry.optional === true;
      return fingerprint(found) === fingerprint(entry);
    }) && Object.keys(installed.packages).every((path) => wanted.packages[path] !== undefined)
  );
}

/** @param {LockEntry} entry */
function fingerprint({ version, integrity, resolved, link }) {
  return link === true ? `link ${resolved}` : `${version} ${integrity}`;
}

function install() {
  report("Installing dependencies (npm ci)");
  const environment = Object.entries(process.env).filter(
    ([name]) => !FOREIGN_NPM_SETTINGS.has(name.toLowerCase()),
  );
  const [npm, leading] = npmCommand();
  const { status, stdout, stderr } = spawnSync(
    npm,
    [...leading, "ci", "--include=dev", "--prefer-offline", "--no-audit", "--no-fund"],
    { cwd: ROOT, env: Object.fromEntries(environment), encoding: "utf8", shell: npm === "npm.cmd" },
  );
  if (status !== 0) {
    throw new Error(
      `${stdout}${stderr}Cannot install the dependencies: npm ci failed. ` +
        "Check that the registry can be reached and run npm ci; " +
        "where package.json and package-lock.json differ, run npm install",
    );
  }
}

/** @returns {[command: string, leading: readonly string[]]} */
function npmCommand() {
  const npm = process.env["npm_execpath"];
  if (npm !== undefined && /npm-cli\.[cm]?js$/.test(npm)) return [process.execPath, [npm]];
  return [process.platform === "win32" ? "npm.cmd" : "npm", []];
}

/** @param {readonly string[]} projects */
function build(projects) {
  const startedAt = performance.now();
  for (const name of readdirSync(join(ROOT, "packages"))) {
    removeStaleOutputs(join(ROOT, "packages", name, "dist"), join(ROOT, "packages", name, "src"));
  }
  removeStaleOutputs(join(ROOT, "build", "test"), join(ROOT, "test"));

  const tsc = [join(ROOT, "node_modules", "typescript", "bin", "tsc"), "-b", ...projects];
  const { status, stdout } = spawnSync(process.execPath, [...tsc, "--verbose"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (status !== 0) {
    spawnSync(process.execPath, tsc, { cwd: ROOT, stdio: ["ignore", 2, 2] });
    throw new Error("Cannot build: tsc -b failed");
  }
  const built = stdout.match(/ - Building project/g)?.length ?? 0;
  if (built > 0) {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    report(`Built ${built} ${built === 1 ? "project" : "projects"} in ${seconds} s`);
  }
}

/**
 * @template T
 * @param {string} path relative to the repository
 * @returns {T}
 */
function readJson(path) {
  return /** @type {T} */ (JSON.parse(readFileSync(join(ROOT, path), "utf8")));
}

/** @param {number} holder */
function reportWait(holder) {
  report(`Waiting for process ${holder}, which is installing or building`);
}

/** @param {string} line */
function report(line) {
  process.stderr.write(`${line}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureBuilt(process.argv.slice(2));
