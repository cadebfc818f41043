/**
 * Where limiters keep what their keys owe.
 *
 * A store hands out one `Ledger` per policy name. Ledgers of different names never share an entry,
 * whatever the keys; two ledgers of one name are the same ledger, so a limiter that is replaced by
 * one with other numbers finds its keys as they were.
 */
export interface Store {
  ledger(policyName: string): Ledger;
}

/**
 * The debts of one policy. All amounts are whole ticks of 1/90,090 ms (`TICKS_PER_MS`).
 *
 * Keys are any strings: empty, very long, hostile. A store must treat them as opaque, must not mix
 * two of them up, and must bound what it spends on them. Entries whose debt is drained may be
 * dropped at any time; a store that runs out of room drops the least indebted first.
 */
export interface Ledger {
  /**
   * Charges `cost` to `key` if its debt then stays within `capacity`, in one atomic step: no other
   * charge of the key may come between reading and writing.
   *
   * Returns the debt with the cost added. At most `capacity`: the cost was charged. More: nothing
   * was charged, and the excess is the time to wait. A cost of 0 reads the debt and changes nothing.
   * For a blocked key it returns `capacity + cost` and what is left of the block.
   *
   * A debt above `capacity` counts as `capacity`. `now` never decreases within a process; a store
   * with a clock of its own, shared by several processes, uses that one instead.
   */
  charge(key: string, cost: number, capacity: number, now: number): number;

  /** Takes `cost` off what `key` owes, never below no debt. A blocked key stays blocked. */
  refund(key: string, cost: number, now: number): void;

  /**
   * Blocks `key` from `now` for `duration`, in place of what it owes: afterwards it owes nothing.
   * A block replaces an earlier one. A duration of 0 lifts a block, and leaves a key that has
   * none as it is.
   */
  block(key: string, duration: number, now: number): void;

  /** Cancels the debt of `key`, and its block. */
  forget(key: string): void;
}
