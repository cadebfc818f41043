import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("rate-limit-client.js", import.meta.url));

/** What each of several processes charges at once. */
export interface ParallelCharges {
  readonly url: string;
  readonly prefix: string;
  readonly key: string;
  /** Requests. */
  readonly capacity: number;
  /** Charges of one request that each process makes. */
  readonly count: number;
}

/** Resolves with how many charges each of `processes` processes was admitted, that begin together. */
export async function admittedByProcesses(
  processes: number,
  { url, prefix, key, capacity, count }: ParallelCharges,
): Promise<number[]> {
  const args = [PROGRAM, url, prefix, key, String(capacity), String(count)];
  const children = Array.from({ length: processes }, () =>
    spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] }),
  );
  const outputs = children.map((child) =>
    createInterface({ input: child.stdout })[Symbol.asyncIterator](),
  );
  await Promise.all(outputs.map((lines) => lines.next()));
  for (const { stdin } of children) stdin.write("go\n");
  const results = await Promise.all(outputs.map((lines) => lines.next()));
  await Promise.all(children.map(ended));
  return results.map(({ value }) => Number(value));
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null) await once(child, "exit");
}
