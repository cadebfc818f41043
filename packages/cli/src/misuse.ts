/** The command was called wrongly: exit code 2. */
export class MisuseError extends Error {
  override readonly name: string = "MisuseError";
}

/** Returns an error that ends the program with exit code 2. */
export function misuse(message: string, options?: ErrorOptions): MisuseError {
  return new MisuseError(message, options);
}
