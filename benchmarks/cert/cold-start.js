// @ts-check
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median, percentile, ratioTable } from "../ratios.js";

/** A whole process that makes a certificate for localhost, its CA being there; milliseconds a process. */
const ROUNDS = 30;

const folder = mkdtempSync(join(tmpdir(), "hauberk-benchmark-"));
const hauberk = fileURLToPath(new URL("../../packages/cli/bin/hauberk.js", import.meta.url));
const environment = {
  ...process.env,
  HAUBERK_HOME: join(folder, "hauberk"),
  CAROOT: join(folder, "mkcert"),
};
const openssl = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost";

/** @type {Record<string, [program: string, args: string[], prepare?: () => void]>} */
const cases = {
  "hauberk cert": [process.execPath, [hauberk, "cert", "localhost"], forget],
  "hauberk cert, reused": [process.execPath, [hauberk, "cert", "localhost"]],
  "mkcert (RSA, its default)": ["mkcert", ["localhost"]],
  "mkcert -ecdsa": ["mkcert", ["-ecdsa", "localhost"]],
  "openssl req (P-256)": [
    "openssl",
    [...openssl.split(" "), "-keyout", "key.pem", "-out", "c.pem"],
  ],
  "node -e 0": [process.execPath, ["-e", "0"]],
};

/** @type {Record<string, number[]>} */
const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
try {
  for (let round = -2; round < ROUNDS; round++) {
    for (const [name, [program, args, prepare]] of Object.entries(cases)) {
      prepare?.();
      const start = performance.now();
      const { status, error, stderr } = spawnSync(program, args, { cwd: folder, env: environment });
      if (status !== 0) throw error ?? new Error(`${name}: ${stderr}`);
      if (round >= 0) times[name]?.push(performance.now() - start);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\nA cold process, ms (Node ${process.versions.node})\n`);
console.log(
  ratioTable(times, "mkcert (RSA, its default)", {
    median,
    p90: (list) => percentile(list, 90),
  }),
);

function forget() {
  rmSync(join(folder, "certs-dev"), { recursive: true, force: true });
}
