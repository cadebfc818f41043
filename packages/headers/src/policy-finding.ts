/**
 * `"high"`: the policy can be got round or does nothing. `"medium"`: a part of it has no effect, or an
 * attack it could stop is left open. `"low"`: worth tightening. `"info"`: good to know.
 */
export type FindingSeverity = "high" | "medium" | "low" | "info";

/** One thing about a policy that its author should know. */
export interface PolicyFinding {
  /** Stable name of the rule, such as `"script-wildcard"`. */
  readonly rule: string;
  readonly severity: FindingSeverity;
  /** The directive it is about; undefined when it is the policy as a whole. */
  readonly directive: string | undefined;
  /** The entry it is about, as the policy spells it. */
  readonly value: string | undefined;
  /** What is wrong and what follows from it. */
  readonly reason: string;
  /** What to do. */
  readonly fix: string;
}

export const SEVERITIES: readonly FindingSeverity[] = ["high", "medium", "low", "info"];
