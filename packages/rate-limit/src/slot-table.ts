const WAYS = 8;

/**
 * Arrival times under 64-bit fingerprints, in sets of eight slots: 16 bytes a slot, allocated once.
 * A fingerprint may sit in any slot of the set that its low word names. A set that is full gives up
 * the slot with the earliest arrival time: expired ones first, then the least indebted.
 */
export class SlotTable {
  readonly #fingerprints: Uint32Array;
  readonly #arrivalTimes: Float64Array;
  readonly #setMask: number;

  /** `capacity` must be a power of two, at least 8. */
  constructor(capacity: number) {
    this.#fingerprints = new Uint32Array(capacity * 2);
    this.#arrivalTimes = new Float64Array(capacity);
    this.#setMask = capacity / WAYS - 1;
  }

  /** Returns the slot that holds the fingerprint, or -1. */
  find(low: number, high: number): number {
    const first = (low & this.#setMask) * WAYS;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.#fingerprints[slot * 2] === low && this.#fingerprints[slot * 2 + 1] === high) {
        return slot;
      }
    }
    return -1;
  }

  arrivalTime(slot: number): number {
    return this.#arrivalTimes[slot]!;
  }

  setArrivalTime(slot: number, arrivalTime: number): void {
    this.#arrivalTimes[slot] = arrivalTime;
  }

  /** Stores a fingerprint that the table does not hold. */
  insert(low: number, high: number, arrivalTime: number): void {
    const slot = this.#leastIndebted((low & this.#setMask) * WAYS);
    this.#fingerprints[slot * 2] = low;
    this.#fingerprints[slot * 2 + 1] = high;
    this.#arrivalTimes[slot] = arrivalTime;
  }

  #leastIndebted(first: number): number {
    let least = first;
    for (let slot = first + 1; slot < first + WAYS; slot++) {
      if (this.#arrivalTimes[slot]! < this.#arrivalTimes[least]!) least = slot;
    }
    return least;
  }
}
