import { TRUST_STORE_NAMES, type TrustStoreName } from "@hauberk/cert/trust-store";
import { choice } from "./command.ts";

/** Which trust stores a command goes through. */
export const STORE_OPTIONS = { store: { type: "string", multiple: true } } as const;

/**
 * Returns the stores that `--store` names, undefined for all.
 *
 * @throws {MisuseError} One is unknown.
 */
export function chosenStores(
  names: readonly string[] | undefined,
): readonly TrustStoreName[] | undefined {
  return names?.map((name) => choice("--store", name, TRUST_STORE_NAMES));
}
