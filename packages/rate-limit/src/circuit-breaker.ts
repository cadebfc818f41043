/** Whether calls go out: all, none, or one that tries whether the way is free again. */
export type BreakerState = "closed" | "open" | "half-open";

export interface CircuitBreakerSettings {
  /** Failures in a row that open the breaker. */
  readonly failures: number;
  /** Milliseconds until an open breaker lets one call through. */
  readonly retryAfterMs: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Told of every change, with what caused it. */
  readonly onChange: (state: BreakerState, cause: unknown) => void;
}

/**
 * Stops calls to something that keeps failing, so that its callers do not wait for its deadline
 * each time, and sends one call ahead to find out when it is back. Holds no timer.
 */
export class CircuitBreaker {
  readonly #settings: CircuitBreakerSettings;
  #state: BreakerState = "closed";
  #failures = 0;
  #retryAt = 0;

  constructor(settings: CircuitBreakerSettings) {
    this.#settings = settings;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Tells whether a call may go out; whoever is let through must report `succeeded` or `failed`. */
  admits(): boolean {
    const { clock, retryAfterMs } = this.#settings;
    if (this.#state === "closed") return true;
    const now = clock();
    if (now < this.#retryAt) return false;
    // Also while half-open: a try whose report never came must not keep the breaker open for ever.
    this.#retryAt = now + retryAfterMs;
    this.#become("half-open", undefined);
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#become("closed", undefined);
  }

  failed(cause: unknown): void {
    const { failures, retryAfterMs, clock } = this.#settings;
    this.#failures += 1;
    if (this.#state === "closed" && this.#failures < failures) return;
    if (this.#state !== "open") this.#retryAt = clock() + retryAfterMs;
    this.#become("open", cause);
  }

  #become(state: BreakerState, cause: unknown): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#settings.onChange(state, cause);
  }
}
