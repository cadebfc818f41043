import { TICKS_PER_MS } from "../gcra.ts";
import { RecentEntries } from "./recent-entries.ts";

/** Permits that were charged ahead. Amounts in ticks, times in milliseconds of the store's clock. */
interface Lease {
  readonly chargedAt: number;
  readonly ahead: number;
  /** Debt of the key when the lease was made, without what was taken ahead. */
  readonly debt: number;
  used: number;
}

const MAX_LEASES = 65_536;

/**
 * Permits charged ahead of the requests that will use them, so that these need no round trip.
 *
 * What was taken ahead drains in the store like any debt, so what is left of a lease shrinks at the
 * same rate: permits that nobody uses expire when they would have been earned back, and a process
 * that ends with some has only been given less than the limit.
 */
export class PermitLeases {
  readonly #permits: number;
  readonly #leases: RecentEntries<Lease>;
  /** Keys with a charge under way that takes ahead; a second one would be leased for nothing. */
  readonly #pending = new Set<string>();

  /** `permits` is how many requests one charge pays for; 1 makes no leases. */
  constructor(permits: number) {
    this.#permits = permits;
    this.#leases = new RecentEntries(permits > 1 ? MAX_LEASES : 0);
  }

  /** Returns how much to take ahead with a charge; above 0 it must be reported by `settle`. */
  begin(name: string, cost: number): number {
    if (this.#permits === 1 || cost <= 0 || this.#pending.has(name)) return 0;
    this.#pending.add(name);
    return cost * (this.#permits - 1);
  }

  /** Ends what `begin` began. */
  settle(name: string): void {
    this.#pending.delete(name);
  }

  /** Takes `cost` from the lease of a key and returns the debt with it, or undefined without enough. */
  take(name: string, cost: number, now: number): number | undefined {
    if (cost === 0) return undefined;
    const lease = this.#leases.get(name);
    if (lease === undefined) return undefined;
    const drained = Math.ceil((now - lease.chargedAt) * TICKS_PER_MS);
    if (lease.used + cost > lease.ahead - drained) return undefined;
    lease.used += cost;
    return Math.max(lease.debt + lease.used - drained, cost);
  }

  /** Notes a lease. `chargedAt` is no later than the charge. */
  add(name: string, ahead: number, debt: number, chargedAt: number): void {
    this.#leases.set(name, { chargedAt, ahead, debt, used: 0 });
  }

  forget(name: string): void {
    this.#leases.delete(name);
  }

  /** Ends every lease; returns what is left of each. */
  drain(now: number): { name: string; left: number }[] {
    return this.#leases.drain().flatMap(([name, { chargedAt, ahead, used }]) => {
      const drained = Math.ceil((now - chargedAt) * TICKS_PER_MS);
      const left = ahead - used - drained;
      return left > 0 ? [{ name, left }] : [];
    });
  }
}
