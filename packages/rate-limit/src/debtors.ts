import { TICKS_PER_MS } from "./gcra.ts";
import type { SlotTable } from "./slot-table.ts";

const MAX_DEBTORS = 1024;
const MAX_KEY_LENGTH = 64;

/** A key that was refused, and what it still owes. */
export interface Debtor {
  readonly policyName: string;
  /** The first 64 characters of the key. */
  readonly key: string;
  /** Milliseconds until the key owes nothing, or its block ends. */
  readonly debtMs: number;
}

interface Entry {
  readonly low: number;
  readonly high: number;
  readonly policyName: string;
  readonly key: string;
}

/** The names of the keys that a table has refused lately: at most 1,024, the oldest dropped first. */
export class Debtors {
  readonly #bySlot = new Map<number, Entry>();

  note(slot: number, low: number, high: number, policyName: string, key: string): void {
    const known = this.#bySlot.get(slot);
    if (known?.low === low && known.high === high) return;
    if (known === undefined && this.#bySlot.size === MAX_DEBTORS) {
      this.#bySlot.delete(this.#bySlot.keys().next().value!);
    }
    // A copy by way of bytes: a slice would hold on to the whole key, be it a megabyte.
    const name = Buffer.from(key.slice(0, MAX_KEY_LENGTH)).toString("utf8");
    this.#bySlot.set(slot, { low, high, policyName, key: name });
  }

  /** Returns the worst `count` of them that are still in the table and in debt, worst first. */
  worst(count: number, table: SlotTable, now: number): Debtor[] {
    const debtors: Debtor[] = [];
    for (const [slot, { low, high, policyName, key }] of this.#bySlot) {
      const debt = Math.abs(table.arrivalTime(slot)) - now;
      if (debt <= 0 || !table.holds(slot, low, high)) continue;
      debtors.push({ policyName, key, debtMs: debt / TICKS_PER_MS });
    }
    return debtors.toSorted((a, b) => b.debtMs - a.debtMs).slice(0, count);
  }
}
