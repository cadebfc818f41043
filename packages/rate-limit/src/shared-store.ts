/** One debt to charge. Amounts are whole ticks of 1/90,090 ms (`TICKS_PER_MS`). */
export interface Charge {
  readonly policyName: string;
  readonly key: string;
  /** What to add to the debt. 0 reads the debt and changes nothing. */
  readonly cost: number;
  /** The debt up to which the charge is admitted; a debt above it counts as this much. */
  readonly capacity: number;
}

/**
 * Where limiters of several processes keep what their keys owe.
 *
 * As a `Store`, except that its clock is its own (processes do not agree on the time), that its
 * answers are promises, and that it charges several debts in one atomic step. Entries of different
 * policy names never share a debt, whatever the keys.
 *
 * Keys are any strings: empty, very long, hostile. A store must treat them as opaque, must not mix
 * two of them up, and must bound what it spends on them. Every entry expires once its debt is
 * drained: a key that never comes back leaves nothing behind.
 *
 * No method throws synchronously, and no promise stays pending beyond the deadline of the store.
 */
export interface SharedStore {
  /**
   * Charges every entry of the group or none, in one atomic step.
   *
   * Resolves with the debt of each entry with its cost added, in the order of the group. One above
   * its capacity says that this entry refused, and that nothing of the group was charged; the excess
   * is the time to wait.
   *
   * A group names no pair of policy and key twice. An empty group resolves with an empty list.
   *
   * Rejects with RateLimitError ERR_RATE_LIMIT_STORE_UNAVAILABLE when no answer came within the
   * deadline of the store. The group may have been charged then; it must not be charged again for
   * the same request.
   */
  charge(group: readonly Charge[]): Promise<readonly number[]>;

  /**
   * Gives costs back, never below no debt; capacities are not read. What cannot be given back is
   * lost: a refund never makes room that a charge had not taken.
   *
   * Rejects as `charge` does.
   */
  refund(group: readonly Charge[]): Promise<void>;

  /** Cancels the debt of `key`. Rejects as `charge` does. */
  forget(policyName: string, key: string): Promise<void>;

  /** Lets go of connections and timers. Calls after it reject as if there were no answer. */
  close(): Promise<void>;
}
