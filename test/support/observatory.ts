import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { repositoryRoot } from "./repository.ts";

const VERSION = "1.4.8";
const FOLDER = join(repositoryRoot, "build", "conformance");
const PACKAGE = join(FOLDER, "node_modules", "@mdn", "mdn-http-observatory");

/** What Mozilla's Observatory says of a site. */
export interface ObservatoryReport {
  readonly scan: {
    readonly score: number;
    readonly grade: string;
    readonly algorithmVersion: number;
  };
  readonly tests: Readonly<
    Record<string, { readonly result: string; readonly scoreModifier: number }>
  >;
}

/**
 * Installs the Observatory below build/. Its install script is left out: it loads a list of root
 * certificates from a server that only answers on the open Internet. The list of preloaded hosts is
 * made empty, no test site is on it.
 */
export function installObservatory(): void {
  if (!existsSync(PACKAGE)) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(join(FOLDER, "package.json"), JSON.stringify({ private: true }));
    const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund"];
    const { status, stderr } = spawnSync("npm", [...args, `@mdn/mdn-http-observatory@${VERSION}`], {
      cwd: FOLDER,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`Cannot install the Observatory: ${stderr}`);
  }
  writeFileSync(join(PACKAGE, "conf", "hsts-preload.json"), "{}");
}

/**
 * Scans `https://localhost:<port>/`. The program of the package is called directly: its own wrapper
 * overwrites NODE_EXTRA_CA_CERTS, and an untrusted certificate costs 20 points.
 */
export async function scanWithObservatory(
  port: number,
  caFile: string,
): Promise<ObservatoryReport> {
  const child = spawn(process.execPath, [join(PACKAGE, "src", "scan.js"), `localhost:${port}`], {
    cwd: PACKAGE,
    env: { ...process.env, NODE_EXTRA_CA_CERTS: caFile },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, complaints] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    child.exitCode === null ? once(child, "close") : undefined,
  ]);
  const report = JSON.parse(output || "{}") as Partial<ObservatoryReport> & { error?: string };
  if (report.scan === undefined || report.tests === undefined) {
    throw new Error(`The Observatory gave no grade: ${report.error ?? complaints}`);
  }
  return { scan: report.scan, tests: report.tests };
}
