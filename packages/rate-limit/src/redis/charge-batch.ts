import type { RateLimitError } from "../errors.ts";

/** A group of keys in one slot on its way to Redis. Amounts in ticks. */
export interface Ticket {
  readonly names: readonly string[];
  /** Cost and capacity of each name. A negative cost gives back. */
  readonly group: readonly { readonly cost: number; readonly capacity: number }[];
  /** What to take ahead with each cost. */
  readonly ahead: number;
  /** Milliseconds of the store's clock, from before it was sent. */
  readonly pushedAt: number;
  readonly resolve: (debts: readonly number[]) => void;
  readonly reject: (error: RateLimitError) => void;
}

// From 128 keys on a longer batch saved nothing, and holds up Redis for everyone else.
const MAX_KEYS = 128;

// One printable ASCII character tells tariff and end of group apart: see the script.
const FIRST_CODE = 33;
const MAX_TARIFFS = 45;

/** Keys that one group may have: every group must fit into a batch of its own. */
export const MAX_GROUP = 32;

/** Tickets that travel in one call, in the form that the script reads. */
export class ChargeBatch {
  readonly tickets: Ticket[] = [];
  readonly names: string[] = [];
  readonly #tariffs: number[] = [];
  #shape = "";

  /** Adds a ticket; false when there is no room for it. */
  add(ticket: Ticket): boolean {
    const { names, group, ahead } = ticket;
    const room = Math.min(MAX_KEYS - this.names.length, MAX_TARIFFS - this.#tariffs.length / 3);
    if (group.length > room) return false;
    this.tickets.push(ticket);
    const last = group.length - 1;
    for (let index = 0; index <= last; index++) {
      const { cost, capacity } = group[index]!;
      const code = this.#tariff(cost, capacity, ahead) * 2 + (index === last ? 1 : 0);
      this.#shape += String.fromCharCode(FIRST_CODE + code);
      this.names.push(names[index]!);
    }
    return true;
  }

  /** Returns the arguments of the script; `time` is in milliseconds, or "" for that of Redis. */
  args(time: number | ""): (string | number)[] {
    return [time, this.#shape, ...this.#tariffs];
  }

  /** Calls back for every ticket with its part of the debts of all names. */
  share(
    debts: readonly number[],
    settle: (ticket: Ticket, debts: readonly number[]) => void,
  ): void {
    let first = 0;
    for (const ticket of this.tickets) {
      const next = first + ticket.names.length;
      settle(ticket, next - first === 1 ? [debts[first]!] : debts.slice(first, next));
      first = next;
    }
  }

  #tariff(cost: number, capacity: number, ahead: number): number {
    const tariffs = this.#tariffs;
    for (let index = 0; index < tariffs.length; index += 3) {
      const isSame = tariffs[index] === cost && tariffs[index + 1] === capacity;
      if (isSame && tariffs[index + 2] === ahead) return index / 3;
    }
    return tariffs.push(cost, capacity, ahead) / 3 - 1;
  }
}

/** Returns tickets in as few batches as hold them, in order. */
export function batchesOf(tickets: readonly Ticket[]): ChargeBatch[] {
  let batch = new ChargeBatch();
  const batches = [batch];
  for (const ticket of tickets) {
    if (batch.add(ticket)) continue;
    batch = new ChargeBatch();
    batch.add(ticket);
    batches.push(batch);
  }
  return batches;
}
