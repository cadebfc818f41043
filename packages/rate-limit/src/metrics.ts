/** What a limiter has decided since it was made, in plain numbers. */
export interface LimiterMetrics {
  readonly policyName: string;
  /** Requests admitted. */
  readonly admitted: number;
  /** Requests refused. */
  readonly limited: number;
  /** Requests that a policy in dry run would have refused. */
  readonly dryRunLimited?: number;
  /** Requests about which the store gave no answer. */
  readonly unavailable?: number;
  /** Requests decided by the local limiter that stands in for the store. */
  readonly fallback?: number;
  /** State of the circuit breaker before the store. */
  readonly breaker?: "closed" | "half-open" | "open";
  /** Keys in debt, and room for them, in the store. */
  readonly table?: { readonly occupied: number; readonly capacity: number };
}
