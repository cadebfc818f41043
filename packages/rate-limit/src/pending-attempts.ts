/** Attempts whose outcome is not known yet, by key; and those that wait for it. */
export class PendingAttempts {
  readonly #counts = new Map<string, number>();
  readonly #waiters = new Map<string, Set<() => void>>();
  readonly #maxWaiting: number;
  #waiting = 0;

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /** Attempts that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  get isFull(): boolean {
    return this.#waiting >= this.#maxWaiting;
  }

  count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  begin(keys: readonly string[]): void {
    for (const key of keys) this.#counts.set(key, this.count(key) + 1);
  }

  end(keys: readonly string[]): void {
    for (const key of keys) {
      const count = this.count(key) - 1;
      if (count === 0) this.#counts.delete(key);
      else this.#counts.set(key, count);
    }
    for (const key of keys) for (const wake of this.#waiters.get(key) ?? []) wake();
  }

  /**
   * Resolves when the next attempt of `key` ends.
   *
   * @throws The reason of the signal, if it is aborted before that.
   */
  async ended(key: string, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const waiters = this.#waiters.get(key) ?? new Set();
    this.#waiters.set(key, waiters);
    this.#waiting++;
    let wake: (() => void) | undefined;
    try {
      await new Promise<void>((resolve) => {
        wake = resolve;
        waiters.add(resolve);
        signal?.addEventListener("abort", wake, { once: true });
      });
    } finally {
      this.#waiting--;
      waiters.delete(wake!);
      if (waiters.size === 0 && this.#waiters.get(key) === waiters) this.#waiters.delete(key);
      signal?.removeEventListener("abort", wake!);
    }
    signal?.throwIfAborted();
  }
}
