/**
 * How an algorithm counts the requests of one key: arithmetic on a record of `width` numbers, which
 * begins as zeros at `at`. Times are whole ticks, passed in.
 */
export interface WindowCount {
  /** Numbers in a record. */
  readonly width: number;
  /** Drops from the record what no longer counts at `now`, and returns the cost of what does. */
  used(numbers: Float64Array, at: number, now: number): number;
  /** Counts `cost` from `now` on. `used` has been called for this `now`. */
  add(numbers: Float64Array, at: number, cost: number, now: number): void;
  /** Takes back `cost`, the newest first, never below nothing. */
  remove(numbers: Float64Array, at: number, cost: number): void;
  /** Returns the time from which at most `allowed` of what counts now still counts. */
  fallsTo(numbers: Float64Array, at: number, allowed: number): number;
}
