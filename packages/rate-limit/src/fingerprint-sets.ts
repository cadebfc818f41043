/** Slots in a set: the places where one fingerprint may be. */
export const WAYS = 8;

/**
 * 64-bit fingerprints in sets of eight slots, 8 bytes a slot, allocated once.
 * A fingerprint may sit in any slot of the set that its low word names.
 */
export class FingerprintSets {
  readonly #words: Uint32Array;
  readonly #setMask: number;

  /** `capacity` must be a power of two, at least 8; `words` are two for each slot. */
  constructor(capacity: number, words: Uint32Array = new Uint32Array(capacity * 2)) {
    this.#words = words;
    this.#setMask = capacity / WAYS - 1;
  }

  /** Returns the first slot of the set in which a fingerprint belongs. */
  firstSlot(low: number): number {
    return (low & this.#setMask) * WAYS;
  }

  /** Returns the slot that holds the fingerprint, or -1. */
  find(low: number, high: number): number {
    const words = this.#words;
    const first = (low & this.#setMask) * WAYS;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (words[slot * 2] === low && words[slot * 2 + 1] === high) return slot;
    }
    return -1;
  }

  /** Tells whether a slot holds the fingerprint. */
  holds(slot: number, low: number, high: number): boolean {
    return this.#words[slot * 2] === low && this.#words[slot * 2 + 1] === high;
  }

  put(slot: number, low: number, high: number): void {
    this.#words[slot * 2] = low;
    this.#words[slot * 2 + 1] = high;
  }
}
