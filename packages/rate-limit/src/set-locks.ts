import { threadId } from "node:worker_threads";

const SPINS = 1000;
const NAP_MS = 1;
/** A lock is held for less than a microsecond; this long only by a thread that is gone. */
const NAPS_UNTIL_TAKEN = 200;

const THREAD_BITS: number = (threadId & 0x7ff) << 20;
const COUNT_MASK = 0xfffff;

/** Locks in memory that threads share, one word each: 0 when free. */
export class SetLocks {
  readonly #words: Int32Array;
  #count = 0;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Waits for a lock and takes it; `release` must follow without anything between that can throw. */
  acquire(index: number): void {
    // Another number for every acquisition, so that a waiting thread sees whether there is progress.
    this.#count = (this.#count + 1) & COUNT_MASK;
    const mine = THREAD_BITS | this.#count || COUNT_MASK + 1;
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.compareExchange(this.#words, index, 0, mine) === 0) return;
    }
    this.#wait(index, mine);
  }

  release(index: number): void {
    Atomics.store(this.#words, index, 0);
  }

  /**
   * The thread that holds the lock has been interrupted, or was terminated: worker.terminate() stops
   * a thread anywhere. In naps, so that a pause of the whole machine does not look like the latter.
   */
  #wait(index: number, mine: number): void {
    let holder = 0;
    let naps = 0;
    for (;;) {
      const found = Atomics.compareExchange(this.#words, index, 0, mine);
      if (found === 0) return;
      naps = found === holder ? naps + 1 : 0;
      holder = found;
      if (naps >= NAPS_UNTIL_TAKEN) {
        if (Atomics.compareExchange(this.#words, index, holder, mine) === holder) return;
      }
      Atomics.wait(this.#words, index, found, NAP_MS);
    }
  }
}
