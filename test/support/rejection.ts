/** Resolves with the error that `promise` rejects with; rejects when `promise` fulfils. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  const settled = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (settled instanceof Error) return settled;
  throw new Error("Expected a rejection with an Error");
}
