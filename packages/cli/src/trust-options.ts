import {
  readTrustAnchor,
  TRUST_STORE_NAMES,
  type ReadTrustAnchorOptions,
  type TrustAnchor,
  type TrustStoreName,
} from "@hauberk/cert/trust-store";
import { choice } from "./command.ts";
import { misuse } from "./misuse.ts";

/** Options that every command about trust takes. */
export const AUTHORITY_OPTIONS = {
  "ca-dir": { type: "string" },
  ca: { type: "string" },
} as const;

/** Options of the commands that go through the stores. */
export const STORE_OPTIONS = {
  "ca-dir": { type: "string" },
  ca: { type: "string" },
  store: { type: "string", multiple: true },
} as const;

interface AuthorityValues {
  readonly "ca-dir"?: string;
  readonly ca?: string;
}

/** Returns where the chosen CA is kept. */
export function authorityOptions(values: AuthorityValues): ReadTrustAnchorOptions {
  return { directory: values["ca-dir"], name: values.ca };
}

/** Reads the chosen CA. */
export function chosenAuthority(values: AuthorityValues): Promise<TrustAnchor> {
  return readTrustAnchor(authorityOptions(values));
}

/**
 * Returns the stores to go through, undefined for all.
 *
 * @throws {MisuseError} One is unknown.
 */
export function chosenStores(
  names: readonly string[] | undefined,
): readonly TrustStoreName[] | undefined {
  return names?.map((name) => choice("--store", name, TRUST_STORE_NAMES));
}

/**
 * Refuses words that a command has no use for.
 *
 * @throws {MisuseError} There are some.
 */
export function takeNoWords(command: string, words: readonly string[]): void {
  if (words.length === 0) return;
  throw misuse(`${command} takes no name, but got ${JSON.stringify(words[0])}`);
}
