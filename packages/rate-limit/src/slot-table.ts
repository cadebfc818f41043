import { FingerprintSets, WAYS } from "./fingerprint-sets.ts";

/**
 * Arrival times under 64-bit fingerprints: 16 bytes a slot, allocated once. A negative time is that
 * of a blocked key: its block ends at the positive one. A set that is full gives up the slot with the
 * earliest time: expired ones first, then the least indebted.
 */
export class SlotTable extends FingerprintSets {
  readonly #arrivalTimes: Float64Array;

  /** `capacity` must be a power of two, at least 8; the arrays begin as zeros. */
  constructor(
    capacity: number,
    arrivalTimes: Float64Array = new Float64Array(capacity),
    words?: Uint32Array,
  ) {
    super(capacity, words);
    this.#arrivalTimes = arrivalTimes;
  }

  arrivalTime(slot: number): number {
    return this.#arrivalTimes[slot]!;
  }

  setArrivalTime(slot: number, arrivalTime: number): void {
    this.#arrivalTimes[slot] = arrivalTime;
  }

  /** Stores a fingerprint that the table does not hold. */
  insert(low: number, high: number, arrivalTime: number): void {
    const slot = this.#leastIndebted(this.firstSlot(low));
    this.put(slot, low, high);
    this.#arrivalTimes[slot] = arrivalTime;
  }

  /** Returns the number of slots whose key owes something or is blocked at `now`. */
  occupied(now: number): number {
    let count = 0;
    for (const time of this.#arrivalTimes) if (Math.abs(time) > now) count++;
    return count;
  }

  #leastIndebted(first: number): number {
    let least = first;
    for (let slot = first + 1; slot < first + WAYS; slot++) {
      if (Math.abs(this.#arrivalTimes[slot]!) < Math.abs(this.#arrivalTimes[least]!)) least = slot;
    }
    return least;
  }
}
