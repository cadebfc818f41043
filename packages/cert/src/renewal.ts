import { quote } from "./quote.ts";

/** When a certificate is valid; both ends belong to it. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * Whether a certificate has at most `ratio` of its lifetime left at `now`, or is over.
 * By a ratio rather than by days, so that certificates of six days are renewed in time as well.
 *
 * @param ratio Share of the lifetime, above 0 and below 1; a third unless given
 * @throws {RangeError} If `ratio` is not between 0 and 1
 */
export function needsRenewal(certificate: Validity, now: Date, ratio: number = 1 / 3): boolean {
  if (!(ratio > 0 && ratio < 1)) {
    throw new RangeError(`needsRenewal: ratio must be above 0 and below 1, got ${quote(ratio)}`);
  }
  const lifetimeMs = certificate.notAfter.getTime() - certificate.notBefore.getTime();
  const leftMs = certificate.notAfter.getTime() - now.getTime();
  return leftMs <= lifetimeMs * ratio;
}
