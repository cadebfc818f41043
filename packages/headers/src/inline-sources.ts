import { isHashValue, isNonceValue } from "./csp-source.ts";
import type { InlineHashes } from "./inline-hashes.ts";
import { echo } from "./option-checks.ts";

function quoteAll(hashes: readonly string[]): string[] {
  return hashes.map((hash) => {
    if (isHashValue(hash)) return `'${hash}'`;
    throw new TypeError(`hashes must be values such as "sha256-...", got ${echo(hash)}`);
  });
}

/**
 * Returns the hashes as sources.
 *
 * @throws {TypeError} If one is malformed.
 */
export function quotedHashes({
  scripts,
  styles,
  handlers,
  styleAttributes,
}: InlineHashes): Required<InlineHashes> {
  return {
    scripts: quoteAll(scripts),
    styles: quoteAll(styles),
    handlers: quoteAll(handlers ?? []),
    styleAttributes: quoteAll(styleAttributes ?? []),
  };
}

/** Returns the nonce as a source. */
export function quotedNonce(nonce: string): string {
  return `'nonce-${nonce}'`;
}

/** Returns `nonce` if it is base64; throws a TypeError otherwise. */
export function checkNonce(nonce: string): string {
  if (isNonceValue(nonce)) return nonce;
  throw new TypeError("nonce must be a base64 value such as createNonce() returns");
}
