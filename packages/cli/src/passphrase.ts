import type { Passphrase } from "@hauberk/cert";
import { misuse } from "./misuse.ts";

const VARIABLE = "HAUBERK_CA_PASSPHRASE";

/**
 * Returns the passphrase of a CA: from the environment variable `variable`, else typed at the terminal
 * without being shown. It is asked for once, and a new one only if `isNew`. Never an argument of the
 * command: those stand in the shell's history and in the list of processes.
 *
 * @throws {MisuseError} `variable` is named and not set.
 */
export function passphrase(variable: string | undefined, isNew: boolean): Passphrase {
  const given = process.env[variable ?? VARIABLE] ?? "";
  if (given !== "") return given;
  if (variable !== undefined) {
    throw misuse(`--passphrase-env: the variable ${JSON.stringify(variable)} is not set`);
  }
  let known: Promise<string | undefined> | undefined;
  return (use) => {
    if (use === "encrypt" && !isNew) return undefined;
    known ??= use === "encrypt" ? askTwice() : ask("Passphrase of the CA: ");
    return known;
  };
}

async function askTwice(): Promise<string | undefined> {
  const first = await ask("New passphrase of the CA: ");
  if (first === undefined) throw misuse("there is no passphrase for the new key");
  if (first === "") throw misuse("the passphrase is empty");
  if ((await ask("The same again: ")) === first) return first;
  throw misuse("the two passphrases differ");
}

/** Returns undefined where nobody can be asked. */
async function ask(question: string): Promise<string | undefined> {
  const { askHidden } = await import("./hidden-prompt.ts");
  const answer = await askHidden(question);
  if (answer === undefined) {
    process.stderr.write(`hauberk: set ${VARIABLE}, or call this from a terminal\n`);
  }
  return answer;
}
