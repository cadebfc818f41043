import { FingerprintSets, WAYS } from "./fingerprint-sets.ts";
import type { KeyedHash } from "./half-sip-hash.ts";

/**
 * Records of a few numbers under 64-bit fingerprints of keys, in sets of eight, allocated once. A set
 * that is full gives up the record with the least weight.
 */
export class RecordTable {
  /** All records, `width` numbers each. Another array after `widen`. */
  numbers: Float64Array;
  readonly #capacity: number;
  readonly #hash: KeyedHash;
  readonly #fingerprints: FingerprintSets;
  readonly #fingerprint: Uint32Array = new Uint32Array(2);
  #width: number;

  /** `capacity` must be a power of two, at least 8. */
  constructor(capacity: number, width: number, hash: KeyedHash) {
    this.numbers = new Float64Array(capacity * width);
    this.#capacity = capacity;
    this.#hash = hash;
    this.#fingerprints = new FingerprintSets(capacity);
    this.#width = width;
  }

  /** Returns where the record of `key` begins, or -1. */
  find(key: string): number {
    this.#hash(key, this.#fingerprint);
    const slot = this.#fingerprints.find(this.#fingerprint[0]!, this.#fingerprint[1]!);
    return slot === -1 ? -1 : slot * this.#width;
  }

  /** Returns where the record of `key` begins: if it is new, zeros in place of the least weight. */
  open(key: string, weight: (at: number) => number): number {
    const known = this.find(key);
    if (known !== -1) return known;
    const low = this.#fingerprint[0]!;
    const high = this.#fingerprint[1]!;
    const slot = this.#lightest(this.#fingerprints.firstSlot(low), weight);
    this.#fingerprints.put(slot, low, high);
    const at = slot * this.#width;
    this.numbers.fill(0, at, at + this.#width);
    return at;
  }

  /** Makes every record at least `width` numbers long, with zeros at the end. */
  widen(width: number): void {
    if (width <= this.#width) return;
    const wider = new Float64Array(this.#capacity * width);
    for (let slot = 0; slot < this.#capacity; slot++) {
      const at = slot * this.#width;
      wider.set(this.numbers.subarray(at, at + this.#width), slot * width);
    }
    this.numbers = wider;
    this.#width = width;
  }

  #lightest(first: number, weight: (at: number) => number): number {
    let lightest = first;
    let least = Infinity;
    for (let slot = first; slot < first + WAYS; slot++) {
      const slotWeight = weight(slot * this.#width);
      if (slotWeight >= least) continue;
      lightest = slot;
      least = slotWeight;
    }
    return lightest;
  }
}
