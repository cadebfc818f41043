import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** Makes the browsers whose home folder is `home` trust the CA in `caFile` for web sites. */
export function trustAuthority(certutil: string, home: string, caFile: string): void {
  const folder = join(home, ".pki", "nssdb");
  mkdirSync(folder, { recursive: true });
  const database = ["-d", `sql:${folder}`];
  execFileSync(certutil, [...database, "-N", "--empty-password"]);
  execFileSync(certutil, [...database, "-A", "-n", "Hauberk", "-t", "C,,", "-i", caFile]);
}
