/** What a report is about: one policy of a page, by the header that states it. */
export type ReportKind = "csp" | "integrity" | "coep" | "coop" | "permissions" | "document";

/** A report, reduced to what helps and holds no secret: addresses are origin and path. */
export interface Violation {
  readonly kind: ReportKind;
  /** The page, `https://site.example/path`. */
  readonly page: string;
  /** The directive of the policy, the feature, or the destination: `script-src-elem`, `camera`. */
  readonly directive: string;
  /** What was blocked: an address, a scheme such as `data:`, `inline`, `eval`, or "". */
  readonly blocked: string;
  /** Whether the browser prevented it, or only said that it would. */
  readonly disposition: "enforce" | "report";
  /** The first 40 characters of a script or style, where the policy has 'report-sample'. */
  readonly sample: string;
  /** Address, line and column of what tried it, or "". */
  readonly source: string;
}

/**
 * A violation with how often it was reported. Reports of the same thing are folded into one entry:
 * same kind, page, directive, blocked, disposition and sample.
 */
export interface ReportEntry extends Violation {
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly firstAt: number;
  /** Milliseconds since the epoch. */
  readonly lastAt: number;
  /** Reports by UTC day, `2026-11-22`; the last 30 days that had any. */
  readonly days: Readonly<Record<string, number>>;
  /** Keyed digests of the clients that reported it, at most 16. */
  readonly reporters: readonly string[];
}
