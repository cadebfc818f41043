/**
 * Clock ticks per millisecond: the unit in which limiters and stores count debt.
 *
 * 2 * 3^2 * 5 * 7 * 11 * 13, so that a window of whole seconds divides exactly by every limit up to
 * 16 and every round one; and 2^53 ticks are 3.1 years, so that clock plus debt stays an exact
 * integer. In floating milliseconds sums drift: with an interval of 0.1 ms one burst of 100 in five
 * came out a request short or over.
 */
export const TICKS_PER_MS = 90_090;

/** Returns a clock reading in whole ticks. */
export function ticksAt(milliseconds: number): number {
  return Math.floor(milliseconds * TICKS_PER_MS);
}

/**
 * Returns the debt of one request: the time in which it is earned back.
 * Rounded up to a whole tick (11 ns), so that a rounded limit is never above the stated one.
 * Infinity when the limit is 0.
 */
export function intervalTicks(limit: number, windowMs: number): number {
  return Math.ceil((windowMs * TICKS_PER_MS) / limit);
}

/**
 * Returns what a key still owes at `now`, from the time at which it will owe nothing (the
 * theoretical arrival time of GCRA). Never more than `capacity`: a clock that steps back, or a limit
 * that was lowered, blocks a key for one burst at most.
 */
export function debtAt(arrivalTime: number, now: number, capacity: number): number {
  return Math.min(Math.max(arrivalTime - now, 0), capacity);
}
