import type { CertificatePair } from "./certificate-pair.ts";
import { validateCertificatePair } from "./certificate-pair.ts";
import { serverNameLookup } from "./sni.ts";

/**
 * Where a TLS server gets its certificates. Anything of this shape serves; a source
 *
 * - answers at once and without input or output: it is asked during the handshake,
 * - returns the same object for a pair until that pair changes: contexts are kept per object,
 * - offers only pairs that `validateCertificatePair` accepts: others are refused and the default is presented.
 */
export interface CertificateSource {
  /**
   * Returns the pair for a canonical name (lower-case, no trailing dot): exact, then wildcard, then default.
   * `undefined` asks for the default, which clients without SNI get.
   */
  certificateFor(serverName: string | undefined): CertificatePair | undefined;
  /** Calls `listener` after any pair has been replaced; returns the function that ends this. */
  onChange(listener: () => void): () => void;
}

/**
 * Returns a source of pairs that never change; the first is the default.
 *
 * @throws {TypeError} If there is no pair.
 * @throws {TlsError} If a pair cannot be used, as `validateCertificatePair` says.
 */
export function fixedCertificates(
  pairs: CertificatePair | readonly CertificatePair[],
  options: { readonly now?: (() => number) | undefined } = {},
): CertificateSource {
  const list = "key" in pairs ? [pairs] : pairs;
  if (list.length === 0) throw new TypeError("fixedCertificates() needs at least one pair, got []");
  const certificateFor = serverNameLookup(
    list.map((pair) => ({ pair, ...validateCertificatePair(pair, options) })),
  );
  return { certificateFor, onChange: () => () => undefined };
}
