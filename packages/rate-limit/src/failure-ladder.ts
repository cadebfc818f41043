import { TICKS_PER_MS } from "./gcra.ts";
import { recordTable } from "./memory-store.ts";
import type { MemoryStore } from "./memory-store.ts";
import type { RecordTable } from "./record-table.ts";

// A record: failures in a row, and the time of the last one.
const FAILURES = 0;
const LAST = 1;

/** How long a key has to wait after failures in a row. */
export interface FailureLadderSettings {
  /** Failures without a delay. */
  readonly freeFailures: number;
  /** The delay after the next one; it doubles with each. Milliseconds. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** Time without a failure after which all are forgotten. Milliseconds. */
  readonly forgetAfterMs: number;
}

/** Counts failures in a row by key, in a table of fixed size that keeps the worst. */
export class FailureLadder {
  readonly #settings: FailureLadderSettings;
  readonly #table: RecordTable;

  constructor(settings: FailureLadderSettings, store: MemoryStore) {
    this.#settings = settings;
    this.#table = recordTable(store, "login failures", 2);
  }

  /** Returns the failures in a row of `key`, as long as they are remembered. */
  failures(key: string, now: number): number {
    const at = this.#table.find(key);
    return at === -1 ? 0 : this.#failuresAt(at, now);
  }

  /** Returns the milliseconds from `now` for which `key` has to wait. */
  waitMs(key: string, now: number): number {
    const at = this.#table.find(key);
    if (at === -1) return 0;
    const { freeFailures, firstDelayMs, maxDelayMs } = this.#settings;
    const beyond = this.#failuresAt(at, now) - freeFailures;
    if (beyond < 0) return 0;
    const delayMs = Math.min(firstDelayMs * 2 ** beyond, maxDelayMs);
    const sinceMs = (now - this.#table.numbers[at + LAST]!) / TICKS_PER_MS;
    return Math.max(delayMs - Math.max(sinceMs, 0), 0);
  }

  add(key: string, now: number): void {
    const at = this.#table.open(key, (slot) => this.#failuresAt(slot, now));
    this.#table.numbers[at + FAILURES] = this.#failuresAt(at, now) + 1;
    this.#table.numbers[at + LAST] = now;
  }

  forget(key: string): void {
    const at = this.#table.find(key);
    if (at !== -1) this.#table.numbers[at + FAILURES] = 0;
  }

  #failuresAt(at: number, now: number): number {
    const sinceMs = (now - this.#table.numbers[at + LAST]!) / TICKS_PER_MS;
    return sinceMs >= this.#settings.forgetAfterMs ? 0 : this.#table.numbers[at + FAILURES]!;
  }
}
