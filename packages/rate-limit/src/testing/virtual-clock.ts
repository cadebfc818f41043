/** A clock that stands still until it is told to move. */
export class VirtualClock {
  #now: number;

  /** `startMs` is the first reading, in milliseconds. */
  constructor(startMs: number = 0) {
    this.#now = startMs;
  }

  /** Returns the time in milliseconds. Bound: can be given as a `clock` option as it is. */
  readonly now = (): number => this.#now;

  /** Moves the clock; back when `milliseconds` is negative. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
