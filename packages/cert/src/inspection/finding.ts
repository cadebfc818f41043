/** How bad something is: clients refuse it, it does harm, or it is worth knowing. */
export type Severity = "error" | "warning" | "note";

/** What can be wrong; stable, for programs. */
export type FindingCode =
  | "address-as-dns"
  | "asks-for-authority"
  | "authority-as-leaf"
  | "bad-signature"
  | "chain-gap"
  | "chain-order"
  | "chain-unfinished"
  | "duplicate"
  | "expired"
  | "host-mismatch"
  | "key-mismatch"
  | "long-lived"
  | "malformed-name"
  | "no-names"
  | "no-server-auth"
  | "not-yet-valid"
  | "root-included"
  | "serial-number"
  | "unknown-critical-extension"
  | "unreadable"
  | "untrusted"
  | "version"
  | "weak-key"
  | "weak-signature"
  | "wildcard-too-wide";

/** One thing that is wrong or worth knowing, in plain words. */
export interface Finding {
  readonly severity: Severity;
  readonly code: FindingCode;
  /** A sentence without its final period; says "it" for the entry. */
  readonly message: string;
  /** Which entry it is about, counted from 0; undefined for the input as a whole. */
  readonly entry: number | undefined;
}
