import { spawn } from "node:child_process";
import { once } from "node:events";

export interface TerminalRun {
  readonly code: number | null;
  /** What the terminal showed, line ends as "\n". */
  readonly shown: string;
}

/**
 * Runs a program in a pseudo-terminal made by `script` (util-linux) and types one of `answers`, with
 * Enter, whenever the output ends in a question (a colon and a blank).
 */
export async function runInTerminal(
  script: string,
  program: readonly string[],
  answers: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<TerminalRun> {
  const command = program.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const child = spawn(script, ["-qec", command, "/dev/null"], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const waiting = [...answers];
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    shown += chunk;
    const answer = shown.endsWith(" ") ? waiting.shift() : undefined;
    if (answer !== undefined) child.stdin.write(`${answer}\r`);
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, shown: shown.replaceAll("\r\n", "\n") };
}
