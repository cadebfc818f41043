import { randomBytes } from "node:crypto";
import { Debtors } from "./debtors.ts";
import type { Debtor } from "./debtors.ts";
import { blockDebtor, chargeDebt, forgetDebt, refundDebt } from "./slot-debts.ts";
import { createHalfSipHash, ledgerKey } from "./half-sip-hash.ts";
import { requireInteger, requireKnownKeys } from "./options.ts";
import { RecordTable } from "./record-table.ts";
import { SlotTable } from "./slot-table.ts";
import type { Ledger, Store } from "./store.ts";

const DEFAULT_CAPACITY = 131_072;
const MAX_CAPACITY = 67_108_864;

/** Options of `MemoryStore`. */
export interface MemoryStoreOptions {
  /**
   * Keys in debt that the store remembers at once. Slots of 16 bytes, integer from 8 to 67,108,864,
   * rounded up to a power of two.
   *
   * @default 131072 (2 MiB)
   */
  readonly capacity?: number;
  /**
   * Key of the hash under which keys are filed: 8 secret bytes. Only a test that must repeat itself
   * has a reason to give it; whoever knows it can push keys out of the table.
   *
   * @default 8 random bytes
   */
  readonly secret?: Uint8Array;
}

const MEMORY_STORE_KEYS = { capacity: true, secret: true } satisfies Record<
  keyof MemoryStoreOptions,
  true
>;

/**
 * Returns the records under a name: one table for all who ask, with records of `width` numbers or
 * more. For limiters whose algorithm needs more than a debt.
 */
export let recordTable: (store: MemoryStore, name: string, width: number) => RecordTable;

/**
 * Keeps debts in this process, in a table whose size never changes.
 *
 * Keys are filed under a keyed 64-bit fingerprint and not kept: in a full table of the default size
 * a new key is taken for another with a chance of 2^-47. When more keys are in debt than there is
 * room for, the least indebted are forgotten: a flood of new keys does not free a key that is already
 * limited, unless every flooding key spends as much as that one owes.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type.
 * @throws {RangeError} If `capacity` is out of range or `secret` has not 8 bytes.
 */
export class MemoryStore implements Store {
  static {
    recordTable = (store, name, width) => store.#recordTable(name, width);
  }

  /** Slots in the table: the option, rounded up to a power of two. */
  readonly capacity: number;
  readonly #table: SlotTable;
  readonly #secret: Uint8Array;
  readonly #recordTables = new Map<string, RecordTable>();
  readonly #debtors: Debtors = new Debtors();
  /** The clock at the latest charge. Ticks. */
  #latest = 0;

  constructor(options: MemoryStoreOptions = {}) {
    requireKnownKeys("memory store", options, MEMORY_STORE_KEYS);
    const slots = requireInteger("capacity", options.capacity ?? DEFAULT_CAPACITY, 8, MAX_CAPACITY);
    this.capacity = 2 ** Math.ceil(Math.log2(slots));
    this.#secret = requireSecret(options.secret ?? randomBytes(8));
    this.#table = new SlotTable(this.capacity);
  }

  ledger(policyName: string): Ledger {
    const table = this.#table;
    const debtors = this.#debtors;
    const hash = createHalfSipHash(ledgerKey(this.#secret, policyName));
    const fingerprint = new Uint32Array(2);

    return {
      charge: (key, cost, capacity, now) => {
        this.#latest = now;
        hash(key, fingerprint);
        const low = fingerprint[0]!;
        const high = fingerprint[1]!;
        const debt = chargeDebt(table, low, high, cost, capacity, now);
        if (debt > capacity && cost > 0) {
          const slot = table.find(low, high);
          if (slot !== -1) debtors.note(slot, low, high, policyName, key);
        }
        return debt;
      },

      refund(key, cost, now) {
        hash(key, fingerprint);
        refundDebt(table, fingerprint[0]!, fingerprint[1]!, cost, now);
      },

      block(key, duration, now) {
        hash(key, fingerprint);
        blockDebtor(table, fingerprint[0]!, fingerprint[1]!, duration, now);
      },

      forget(key) {
        hash(key, fingerprint);
        forgetDebt(table, fingerprint[0]!, fingerprint[1]!);
      },
    };
  }

  /**
   * Returns the keys that owe most, worst first: at most `count` of the last 1,024 that were
   * refused. As of the latest charge.
   *
   * @throws {TypeError} If `count` is no number.
   * @throws {RangeError} If it is not an integer from 1 to 1024.
   */
  top(count: number): readonly Debtor[] {
    requireInteger("count", count, 1, 1024);
    return this.#debtors.worst(count, this.#table, this.#latest);
  }

  /** Returns the number of keys in debt, or blocked, as of the latest charge. Reads the whole table. */
  occupied(): number {
    return this.#table.occupied(this.#latest);
  }

  #recordTable(name: string, width: number): RecordTable {
    const known = this.#recordTables.get(name);
    known?.widen(width);
    if (known !== undefined) return known;
    const hash = createHalfSipHash(ledgerKey(this.#secret, name));
    const table = new RecordTable(this.capacity, width, hash);
    this.#recordTables.set(name, table);
    return table;
  }
}

function requireSecret(secret: unknown): Uint8Array {
  if (!(secret instanceof Uint8Array)) throw new TypeError('"secret" must be a Uint8Array');
  if (secret.length !== 8) throw new RangeError(`"secret" must have 8 bytes, got ${secret.length}`);
  return Uint8Array.from(secret);
}
