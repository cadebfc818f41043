import type { X509Certificate } from "node:crypto";
import { isIssuedBy } from "../inspect.ts";
import { quote } from "../quote.ts";
import type { Finding } from "./finding.ts";

/** A certificate and its place among the entries of the input. */
export interface PlacedCertificate {
  readonly certificate: X509Certificate;
  readonly entry: number;
}

/** A TLS client gives up on ten; a longer list is a collection of roots and no chain. */
const MAX_CHAIN = 20;

/**
 * Returns what is wrong with the order of certificates: each should have issued the one before it,
 * and the root be left to the clients. A list that begins with a root is a collection, not a chain.
 *
 * @see RFC 8446 section 4.4.2
 */
export function judgeChain(chain: readonly PlacedCertificate[]): Finding[] {
  const [leaf] = chain;
  if (leaf === undefined || chain.length > MAX_CHAIN || isRoot(leaf)) return [];
  return [...duplicates(chain), ...firstBreak(chain), ...end(chain)];
}

function duplicates(chain: readonly PlacedCertificate[]): Finding[] {
  return chain.flatMap(({ certificate, entry }, index) => {
    const first = chain
      .slice(0, index)
      .find((other) => other.certificate.fingerprint256 === certificate.fingerprint256);
    if (first === undefined) return [];
    const message = `it is the same certificate as number ${first.entry + 1}`;
    return [{ severity: "warning", code: "duplicate", message, entry }];
  });
}

/** After the first break nothing says what the rest should follow, so only that one is told. */
function firstBreak(chain: readonly PlacedCertificate[]): Finding[] {
  for (const [index, current] of chain.entries()) {
    const next = chain[index + 1];
    if (next === undefined || isIssuedBy(current.certificate, next.certificate)) continue;
    const issuer = chain.find(
      (other) => other !== current && isIssuedBy(current.certificate, other.certificate),
    );
    if (issuer !== undefined) {
      const message =
        `it did not issue the certificate before it, number ${issuer.entry + 1} did: ` +
        "the chain is out of order, and some clients refuse it";
      return [{ severity: "error", code: "chain-order", message, entry: next.entry }];
    }
    const message =
      `it did not issue the certificate before it, and no other one here did: ` +
      `the issuer of number ${current.entry + 1} is missing (${quote(issuerName(current))})`;
    return [{ severity: "error", code: "chain-gap", message, entry: next.entry }];
  }
  return [];
}

function end(chain: readonly PlacedCertificate[]): Finding[] {
  const last = chain.at(-1);
  if (last === undefined) return [];
  if (isRoot(last)) {
    // RFC 8446 section 4.4.2: the root MAY be omitted, so one that is sent is no fault.
    const message =
      "it is a root: clients have it already or do not trust it, so it may be left out";
    return [{ severity: "note", code: "root-included", message, entry: last.entry }];
  }
  const message = `its issuer ${quote(issuerName(last))} is not here: clients must have that one`;
  return [{ severity: "note", code: "chain-unfinished", message, entry: last.entry }];
}

function isRoot({ certificate }: PlacedCertificate): boolean {
  return isIssuedBy(certificate, certificate);
}

function issuerName({ certificate }: PlacedCertificate): string {
  return certificate.issuer.split("\n").join(", ");
}
