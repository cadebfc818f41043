import { askHidden } from "./hidden-prompt.ts";
import { misuse } from "./misuse.ts";

const VARIABLE = "HAUBERK_PASSWORD";

/**
 * Returns the password that the environment holds, in `variable` or else in HAUBERK_PASSWORD. Never an
 * argument of the command: those stand in the shell's history and in the list of processes.
 *
 * @throws {MisuseError} `variable` is named and not set.
 */
export function passwordFromEnvironment(variable: string | undefined): string | undefined {
  const given = process.env[variable ?? VARIABLE] ?? "";
  if (given !== "") return given;
  if (variable === undefined) return undefined;
  throw misuse(`--password-env: the variable ${JSON.stringify(variable)} is not set`);
}

/** Asks for the password of a file that needs one; undefined where nobody can be asked. */
export async function askPassword(file: string): Promise<string | undefined> {
  return askHidden(`Password of ${file}: `);
}

/**
 * Asks for a new password, twice.
 *
 * @throws {MisuseError} Nobody can be asked, it is empty, or the two differ.
 */
export async function askNewPassword(): Promise<string> {
  const first = await askHidden("New password: ");
  if (first === undefined) throw misuse(`--ask-password needs a terminal; or set ${VARIABLE}`);
  if (first === "") throw misuse("the password is empty");
  if ((await askHidden("The same again: ")) === first) return first;
  throw misuse("the two passwords differ");
}
