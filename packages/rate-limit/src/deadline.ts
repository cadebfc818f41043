interface Pending {
  readonly expiresAt: number;
  readonly expire: () => void;
}

/** Ends waits for promises that may never settle, with one timer for all of them. */
export class Deadline {
  readonly #afterMs: number;
  readonly #failure: () => Error;
  /** In the order of their deadlines: all are equally long. */
  readonly #pending = new Set<Pending>();
  #timer: NodeJS.Timeout | undefined;

  /** `failure` makes the error with which a wait ends. */
  constructor(afterMs: number, failure: () => Error) {
    this.#afterMs = afterMs;
    this.#failure = failure;
  }

  /** Settles as `promise` does, or rejects after the deadline. */
  hold<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const pending = {
        expiresAt: performance.now() + this.#afterMs,
        expire: () => {
          reject(this.#failure());
        },
      };
      const stop = (): void => {
        this.#pending.delete(pending);
      };
      this.#pending.add(pending);
      if (this.#timer === undefined) this.#arm(this.#afterMs);
      promise.then(resolve, reject).then(stop, stop);
    });
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const pending of this.#pending) {
      if (pending.expiresAt > now) {
        this.#arm(pending.expiresAt - now);
        return;
      }
      this.#pending.delete(pending);
      pending.expire();
    }
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#expire();
    }, delayMs).unref();
  }
}
