import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The command itself. */
export const PROGRAM: string = fileURLToPath(
  new URL("../../../packages/cli/bin/hauberk.js", import.meta.url),
);

/** What a finished run of the command said. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  /** Added to the environment of the test. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `hauberk` with `args` until it ends. */
export async function runHauberk(args: readonly string[], options: RunOptions): Promise<Finished> {
  const running = startHauberk(args, options);
  return running.finished;
}

/** A `hauberk` that is still running. */
export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves with the output once it matches; rejects when the command ends before. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts `hauberk` with `args`. */
export function startHauberk(args: readonly string[], { cwd, env = {} }: RunOptions): Running {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const listener of listeners) listener();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    for (const listener of listeners) listener();
  });
  const finished = once(child, "close").then(([code]) => ({
    code: code as number | null,
    stdout,
    stderr,
  }));
  return {
    child,
    finished,
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(stdout + stderr);
          if (match === null) return;
          listeners.delete(look);
          resolve(match);
        };
        listeners.add(look);
        look();
        child.once("close", (code) => {
          reject(new Error(`hauberk ended with ${code} before ${pattern}:\n${stdout}${stderr}`));
        });
      }),
  };
}
