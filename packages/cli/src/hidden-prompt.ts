import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/** Asks at the terminal without showing what is typed; undefined where nobody can be asked. */
export async function askHidden(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const nowhere = new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
  const lines = createInterface({
    input: process.stdin,
    output: nowhere,
    terminal: true,
    historySize: 0,
  });
  // Only now is the echo of the terminal off.
  process.stderr.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once("SIGINT", () => {
        reject(new Error("interrupted"));
      });
      lines.once("close", () => {
        reject(new Error("nothing was typed"));
      });
      lines.question("", resolve);
    });
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}
