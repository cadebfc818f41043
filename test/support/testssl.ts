import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** One line of testssl's report. */
export interface Finding {
  readonly id: string;
  readonly severity: "OK" | "INFO" | "WARN" | "LOW" | "MEDIUM" | "HIGH" | "CRITICAL";
  readonly finding: string;
}

export interface Target {
  /** Name in SNI and Host; the address is 127.0.0.1. */
  readonly host: string;
  readonly port: number;
  readonly caFile: string;
}

/** Runs every check of `testssl` and resolves with the whole report; leaves its files in `directory`. */
export async function testssl(
  program: string,
  directory: string,
  { host, port, caFile }: Target,
): Promise<readonly Finding[]> {
  const report = join(directory, `${port}.json`);
  const child = spawn(
    program,
    [
      "--full",
      "--warnings=off",
      "--color=0",
      "--nodns=none",
      "--ip=127.0.0.1",
      `--add-ca=${caFile}`,
      `--jsonfile=${report}`,
      `${host}:${port}`,
    ],
    { cwd: directory, stdio: ["ignore", "pipe", "ignore"] },
  );
  const [output] = await Promise.all([text(child.stdout), once(child, "exit")]);
  const findings = JSON.parse(readFileSync(report, "utf8")) as readonly Finding[];
  if (findings.at(-1)?.id !== "scanTime") throw new Error(`testssl did not finish:\n${output}`);
  return findings;
}

/** Returns the one finding with `id`. */
export function findingOf(findings: readonly Finding[], id: string): string {
  const found = findings.find((each) => each.id === id);
  if (found === undefined) throw new Error(`testssl reported no ${id}`);
  return found.finding;
}
