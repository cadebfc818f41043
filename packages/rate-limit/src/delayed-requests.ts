import type { RateLimitedResponse } from "./rate-limit-options.ts";

/** Requests that wait for the end of a delay: one timer each, at most `maxWaiting` at once. */
export class DelayedRequests {
  readonly #maxWaiting: number;
  #waiting = 0;

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  get isFull(): boolean {
    return this.#waiting >= this.#maxWaiting;
  }

  /** Calls `proceed` after `delayMs`, unless the client leaves before that. */
  hold(response: RateLimitedResponse, delayMs: number, proceed: () => void): void {
    this.#waiting++;
    const stop = (): void => {
      clearTimeout(timer);
      response.removeListener("close", stop);
      this.#waiting--;
    };
    // The connection keeps the process alive, not the timer: nobody is served when it has gone.
    const timer = setTimeout(() => {
      stop();
      proceed();
    }, delayMs).unref();
    response.once("close", stop);
  }
}
