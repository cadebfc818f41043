/**
 * The passphrase of a CA key, or a function that gets it from wherever it is kept. The function is
 * called only when a key has to be encrypted or decrypted; undefined from it means "none".
 */
export type Passphrase =
  string | ((use: "encrypt" | "decrypt") => string | undefined | Promise<string | undefined>);

/** What OpenSSL reads from a terminal or a file. */
const MAX_BYTES = 1024;

/**
 * Returns a passphrase option, unasked yet.
 *
 * @throws {TypeError} If the value is neither a usable text nor a function; does not show it
 */
export function passphraseOption(
  path: string,
  value: Passphrase | undefined,
): Passphrase | undefined {
  if (value !== undefined && typeof value !== "function") requireUsable(path, value);
  return value;
}

/**
 * Returns the passphrase for one use, asking for it when it is a function.
 *
 * @throws {TypeError} If the function returns something else than a usable text or undefined
 */
export async function resolvePassphrase(
  passphrase: Passphrase | undefined,
  use: "encrypt" | "decrypt",
): Promise<string | undefined> {
  if (typeof passphrase !== "function") return passphrase;
  const answer = await passphrase(use);
  if (answer !== undefined) requireUsable("passphrase", answer);
  return answer;
}

function requireUsable(path: string, value: unknown): void {
  const bytes = typeof value === "string" ? Buffer.byteLength(value) : 0;
  if (bytes >= 1 && bytes <= MAX_BYTES) return;
  throw new TypeError(`${path} must be a text of 1 to ${MAX_BYTES} bytes`);
}
