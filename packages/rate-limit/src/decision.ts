import type { RateLimitError } from "./errors.ts";

/** The request may proceed; its cost has been charged. */
export interface AdmittedDecision {
  readonly kind: "admitted";
  /** Requests per window, from the policy. */
  readonly limit: number;
  /** Requests that the key can still make at once. */
  readonly remaining: number;
  /** Milliseconds until the key owes nothing and its whole burst is available. */
  readonly resetMs: number;
  /** Milliseconds for which the request has to wait before it proceeds: 0 unless the policy has a `delay`. */
  readonly delayMs: number;
}

/** The request must not proceed; nothing has been charged. */
export interface LimitedDecision {
  readonly kind: "limited";
  /** Requests per window, from the policy. */
  readonly limit: number;
  /** Requests of cost 1 that the key could still make: above 0 only when the cost was above 1. */
  readonly remaining: number;
  /** Milliseconds until the key owes nothing and its whole burst is available. */
  readonly resetMs: number;
  /**
   * Milliseconds until the same request would be admitted.
   * Infinity when it never will be: its cost is above the burst, or the limit is 0.
   */
  readonly retryAfterMs: number;
}

/** What a limiter says about one request. */
export type Decision = AdmittedDecision | LimitedDecision;

/** No store said in time what the key owes. Nothing is known to have been charged. */
export interface UnavailableDecision {
  readonly kind: "unavailable";
  /** Requests per window, from the policy. */
  readonly limit: number;
  /** Whether the limiter lets the request proceed all the same. */
  readonly isAdmitted: boolean;
  /** Why there was no answer. */
  readonly error: RateLimitError;
}

/** What a limiter over a store shared by processes says about one request. */
export type SharedDecision = Decision | UnavailableDecision;
