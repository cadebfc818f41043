import { debtAt } from "./gcra.ts";
import type { SlotTable } from "./slot-table.ts";

/** What `Ledger.charge` says, for the key with this fingerprint. */
export function chargeDebt(
  table: SlotTable,
  low: number,
  high: number,
  cost: number,
  capacity: number,
  now: number,
): number {
  const slot = table.find(low, high);
  const arrivalTime = slot === -1 ? 0 : table.arrivalTime(slot);
  if (arrivalTime < 0 && -arrivalTime > now) return capacity + cost - arrivalTime - now;
  const debt = debtAt(arrivalTime, now, capacity) + cost;
  if (cost === 0) return debt;
  if (debt <= capacity) {
    if (slot === -1) table.insert(low, high, now + debt);
    else table.setArrivalTime(slot, now + debt);
    return debt;
  }
  // Written back, or a clock that stepped back an hour would hold the key for that hour.
  if (arrivalTime > now + capacity) table.setArrivalTime(slot, now + capacity);
  return debt;
}

/** Makes a key owe at least `debt`. */
export function raiseDebt(
  table: SlotTable,
  low: number,
  high: number,
  debt: number,
  now: number,
): void {
  const slot = table.find(low, high);
  if (slot === -1) table.insert(low, high, now + debt);
  else if (table.arrivalTime(slot) < now + debt) table.setArrivalTime(slot, now + debt);
}

/** What `Ledger.refund` says. */
export function refundDebt(
  table: SlotTable,
  low: number,
  high: number,
  cost: number,
  now: number,
): void {
  const slot = table.find(low, high);
  const arrivalTime = slot === -1 ? 0 : table.arrivalTime(slot);
  if (arrivalTime > now) table.setArrivalTime(slot, Math.max(arrivalTime - cost, 0));
}

/** What `Ledger.block` says. */
export function blockDebtor(
  table: SlotTable,
  low: number,
  high: number,
  duration: number,
  now: number,
): void {
  const slot = table.find(low, high);
  if (duration === 0) {
    if (slot !== -1 && table.arrivalTime(slot) < 0) table.setArrivalTime(slot, 0);
  } else if (slot === -1) {
    table.insert(low, high, -(now + duration));
  } else {
    table.setArrivalTime(slot, -(now + duration));
  }
}

/** What `Ledger.forget` says. */
export function forgetDebt(table: SlotTable, low: number, high: number): void {
  const slot = table.find(low, high);
  if (slot !== -1) table.setArrivalTime(slot, 0);
}
