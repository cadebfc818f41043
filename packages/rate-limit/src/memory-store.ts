import { randomBytes } from "node:crypto";
import { debtAt } from "./gcra.ts";
import { createHalfSipHash } from "./half-sip-hash.ts";
import { requireInteger, requireKnownKeys } from "./options.ts";
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
  /** Slots in the table: the option, rounded up to a power of two. */
  readonly capacity: number;
  readonly #table: SlotTable;
  readonly #secret: Uint8Array;

  constructor(options: MemoryStoreOptions = {}) {
    requireKnownKeys("memory store", options, MEMORY_STORE_KEYS);
    const slots = requireInteger("capacity", options.capacity ?? DEFAULT_CAPACITY, 8, MAX_CAPACITY);
    this.capacity = 2 ** Math.ceil(Math.log2(slots));
    this.#secret = requireSecret(options.secret ?? randomBytes(8));
    this.#table = new SlotTable(this.capacity);
  }

  ledger(policyName: string): Ledger {
    const table = this.#table;
    const hash = createHalfSipHash(this.#ledgerKey(policyName));
    const fingerprint = new Uint32Array(2);

    return {
      charge(key, cost, capacity, now) {
        hash(key, fingerprint);
        const low = fingerprint[0]!;
        const high = fingerprint[1]!;
        const slot = table.find(low, high);
        const arrivalTime = slot === -1 ? 0 : table.arrivalTime(slot);
        const debt = debtAt(arrivalTime, now, capacity) + cost;
        if (cost === 0) return debt;
        if (debt <= capacity) {
          if (slot === -1) table.insert(low, high, now + debt);
          else table.setArrivalTime(slot, now + debt);
        } else if (arrivalTime > now + capacity) {
          // Written back, or a clock that stepped back an hour would hold the key for that hour.
          table.setArrivalTime(slot, now + capacity);
        }
        return debt;
      },

      forget(key) {
        hash(key, fingerprint);
        const slot = table.find(fingerprint[0]!, fingerprint[1]!);
        if (slot !== -1) table.setArrivalTime(slot, 0);
      },
    };
  }

  /** A key per name instead of a prefix per key: no concatenation on the hot path, no collision. */
  #ledgerKey(policyName: string): Uint8Array {
    const digest = new Uint32Array(2);
    createHalfSipHash(this.#secret)(policyName, digest);
    return new Uint8Array(digest.buffer);
  }
}

function requireSecret(secret: unknown): Uint8Array {
  if (!(secret instanceof Uint8Array)) throw new TypeError('"secret" must be a Uint8Array');
  if (secret.length !== 8) throw new RangeError(`"secret" must have 8 bytes, got ${secret.length}`);
  return Uint8Array.from(secret);
}
