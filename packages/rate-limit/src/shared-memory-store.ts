import { randomBytes } from "node:crypto";
import { WAYS } from "./fingerprint-sets.ts";
import { TICKS_PER_MS, ticksAt } from "./gcra.ts";
import { createHalfSipHash, ledgerKey } from "./half-sip-hash.ts";
import { quote, requireFunction, requireInteger, requireKnownKeys } from "./options.ts";
import { SetLocks } from "./set-locks.ts";
import { blockDebtor, chargeDebt, forgetDebt, refundDebt } from "./slot-debts.ts";
import { SlotTable } from "./slot-table.ts";
import type { Ledger, Store } from "./store.ts";

const DEFAULT_CAPACITY = 131_072;
const MAX_CAPACITY = 67_108_864;

// Header: mark and capacity (two words), secret (8 bytes), origin of the clock in seconds (a double).
const HEADER_BYTES = 24;
const MARK = 0x48_4b_52_31;
const BYTES_PER_SLOT = 16;

/** Options of `SharedMemoryStore`. At most one of `capacity` and `buffer`. */
export interface SharedMemoryStoreOptions {
  /**
   * Keys in debt that the store remembers at once. Slots of 16.5 bytes, integer from 8 to 67,108,864,
   * rounded up to a power of two.
   *
   * @default 131072 (2.1 MiB)
   */
  readonly capacity?: number;
  /** The `buffer` of a store in another thread, to share its debts. */
  readonly buffer?: SharedArrayBuffer;
  /**
   * Returns milliseconds, the same in all threads; must not go back. `performance.now` will not do:
   * it counts from the start of each thread.
   *
   * @default process.hrtime
   */
  readonly clock?: () => number;
}

const SHARED_MEMORY_STORE_KEYS = { capacity: true, buffer: true, clock: true } satisfies Record<
  keyof SharedMemoryStoreOptions,
  true
>;

/**
 * Keeps debts as `MemoryStore` does, in memory that worker threads share: give `buffer` of the first
 * store to the workers (as `workerData`, for instance) and there make a store of it.
 *
 * Every charge is atomic between threads. It reads a clock of its own, so a limiter's `clock` has no
 * effect. A thread that is terminated in the middle of a charge delays the next one of its set of
 * eight keys by a fifth of a second.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type, both `capacity` and `buffer` are
 * given, or `buffer` is not that of another store.
 * @throws {RangeError} If `capacity` is out of range.
 */
export class SharedMemoryStore implements Store {
  /** Slots in the table: the option, rounded up to a power of two. */
  readonly capacity: number;
  /** All that there is to share with another thread. */
  readonly buffer: SharedArrayBuffer;
  readonly #table: SlotTable;
  readonly #locks: SetLocks;
  readonly #secret: Uint8Array;
  readonly #now: () => number;

  constructor(options: SharedMemoryStoreOptions = {}) {
    requireKnownKeys("shared memory store", options, SHARED_MEMORY_STORE_KEYS);
    requireFunction("clock", options.clock);
    this.buffer = bufferOf(options);
    const { buffer } = this;
    const capacity = new Uint32Array(buffer, 0, 2)[1]!;
    this.capacity = capacity;
    this.#secret = Uint8Array.from(new Uint8Array(buffer, 8, 8));
    const origin = new Float64Array(buffer, 16, 1)[0]!;
    const { clock } = options;
    this.#now = clock === undefined ? () => ticksSince(origin) : () => ticksAt(clock());

    const arrivalTimes = new Float64Array(buffer, HEADER_BYTES, capacity);
    const words = new Uint32Array(buffer, HEADER_BYTES + capacity * 8, capacity * 2);
    this.#table = new SlotTable(capacity, arrivalTimes, words);
    this.#locks = new SetLocks(
      new Int32Array(buffer, HEADER_BYTES + capacity * BYTES_PER_SLOT, capacity / WAYS),
    );
  }

  ledger(policyName: string): Ledger {
    const table = this.#table;
    const locks = this.#locks;
    const clock = this.#now;
    const setMask = this.capacity / WAYS - 1;
    const hash = createHalfSipHash(ledgerKey(this.#secret, policyName));
    const fingerprint = new Uint32Array(2);

    /** Takes the lock of the set in which a key belongs. */
    function lock(key: string): number {
      hash(key, fingerprint);
      const set = fingerprint[0]! & setMask;
      locks.acquire(set);
      return set;
    }

    return {
      charge(key, cost, capacity) {
        // Before the lock is taken, since it may throw; an older time only makes debts larger.
        const now = clock();
        const set = lock(key);
        const debt = chargeDebt(table, fingerprint[0]!, fingerprint[1]!, cost, capacity, now);
        locks.release(set);
        return debt;
      },

      refund(key, cost) {
        const now = clock();
        const set = lock(key);
        refundDebt(table, fingerprint[0]!, fingerprint[1]!, cost, now);
        locks.release(set);
      },

      block(key, duration) {
        const now = clock();
        const set = lock(key);
        blockDebtor(table, fingerprint[0]!, fingerprint[1]!, duration, now);
        locks.release(set);
      },

      forget(key) {
        const set = lock(key);
        forgetDebt(table, fingerprint[0]!, fingerprint[1]!);
        locks.release(set);
      },
    };
  }
}

function bufferOf({ capacity, buffer }: SharedMemoryStoreOptions): SharedArrayBuffer {
  if (buffer === undefined) return newBuffer(capacity ?? DEFAULT_CAPACITY);
  if (capacity !== undefined)
    throw new TypeError('"capacity" is that of "buffer": give one of them');
  const wanted = `"buffer" must be the buffer of a SharedMemoryStore`;
  if (!(buffer instanceof SharedArrayBuffer))
    throw new TypeError(`${wanted}, got ${quote(buffer)}`);
  const [mark, slots] = buffer.byteLength < HEADER_BYTES ? [] : new Uint32Array(buffer, 0, 2);
  if (mark !== MARK || buffer.byteLength !== bytesFor(slots!)) {
    throw new TypeError(`${wanted}, got ${buffer.byteLength} other bytes`);
  }
  return buffer;
}

function newBuffer(capacity: unknown): SharedArrayBuffer {
  const slots = 2 ** Math.ceil(Math.log2(requireInteger("capacity", capacity, 8, MAX_CAPACITY)));
  const buffer = new SharedArrayBuffer(bytesFor(slots));
  new Uint32Array(buffer, 0, 2).set([MARK, slots]);
  new Uint8Array(buffer, 8, 8).set(randomBytes(8));
  new Float64Array(buffer, 16, 1)[0] = process.hrtime()[0];
  return buffer;
}

function bytesFor(slots: number): number {
  return HEADER_BYTES + slots * BYTES_PER_SLOT + (slots / WAYS) * 4;
}

/** The clock of the machine since it started, less the uptime at which the table was made. */
function ticksSince(origin: number): number {
  const [seconds, nanoseconds] = process.hrtime();
  return (seconds - origin) * 1000 * TICKS_PER_MS + Math.floor((nanoseconds * TICKS_PER_MS) / 1e6);
}
