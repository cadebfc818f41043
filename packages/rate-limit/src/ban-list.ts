import { isNetwork } from "./key-list.ts";
import { formatIpAddress, networkOf, parseIpAddress } from "./ip-address.ts";
import type { IpAddress } from "./ip-address.ts";
import { parseNetwork } from "./network-list.ts";
import { quote, requireFunction, requireInteger, requireKnownKeys } from "./options.ts";
import { MAX_WINDOW_MS } from "./policy.ts";

const DEFAULT_CAPACITY = 100_000;
const MAX_REASON_LENGTH = 200;

/** A ban in force. */
export interface Ban {
  /** Address, network or key, in canonical spelling. */
  readonly entry: string;
  /** Whether the entry is a key: neither an address nor a network. */
  readonly isKey: boolean;
  /** Why, in the words of whoever banned it. */
  readonly reason: string;
  /** Milliseconds until it ends. */
  readonly remainingMs: number;
}

/** A change of a ban list. */
export type BanEvent =
  { readonly kind: "banned"; readonly ban: Ban } | { readonly kind: "unbanned"; readonly ban: Ban };

/** Options of `BanList`. */
export interface BanListOptions {
  /**
   * Bans in force at once. When there are more, those made first are dropped, a tenth at a time.
   * Integer from 10 to 10,000,000.
   *
   * @default 100000
   */
  readonly capacity?: number;
  /**
   * Returns monotonic milliseconds.
   *
   * @default performance.now
   */
  readonly clock?: () => number;
}

/** Options of `BanList.ban`. */
export interface BanOptions {
  /** How long it lasts. Milliseconds, integer from 1 to 31,622,400,000 (366 days). */
  readonly durationMs: number;
  /**
   * Why: at most 200 characters, for people.
   *
   * @default ""
   */
  readonly reason?: string;
}

const BAN_LIST_KEYS = { capacity: true, clock: true } satisfies Record<keyof BanListOptions, true>;
const BAN_KEYS = { durationMs: true, reason: true } satisfies Record<keyof BanOptions, true>;

interface Entry {
  readonly entry: string;
  readonly isKey: boolean;
  readonly reason: string;
  readonly endsAt: number;
  /** Of networks: version and prefix length, as `prefixKind` makes it. */
  readonly prefix: number;
}

/**
 * Who is not served for a while: addresses, networks and keys, each with an end. In this process
 * only; `onChange` is how others learn of it, a firewall for instance.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type.
 * @throws {RangeError} If `capacity` is out of range.
 */
export class BanList {
  readonly #capacity: number;
  readonly #clock: () => number;
  /** In the order in which they were made. */
  readonly #entries = new Map<string, Entry>();
  /** How many bans there are of each prefix length, so that a lookup tries no others. */
  readonly #prefixes = new Map<number, number>();
  readonly #listeners = new Set<(event: BanEvent) => void>();

  constructor(options: BanListOptions = {}) {
    requireKnownKeys("ban list", options, BAN_LIST_KEYS);
    requireFunction("clock", options.clock);
    const capacity = options.capacity ?? DEFAULT_CAPACITY;
    this.#capacity = requireInteger("capacity", capacity, 10, 10_000_000);
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** Bans in the list, ended ones that have not been looked up since included. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Bans an address, a network (`"2001:db8::/64"`) or any other text as a key, in place of an earlier
   * ban of the same entry. An IPv6 client has a network: ban what `addressKey` returns for it.
   *
   * @throws {TypeError} If `entry` is no string, or an option is unknown or has the wrong type.
   * @throws {RangeError} If `durationMs` is out of range, or a network covers every address or has
   * bits outside its prefix.
   */
  ban(entry: string, options: BanOptions): void {
    requireKnownKeys("ban", options, BAN_KEYS);
    const durationMs = requireInteger("durationMs", options.durationMs, 1, MAX_WINDOW_MS);
    const { reason = "" } = options;
    if (typeof reason !== "string") {
      throw new TypeError(`"reason" must be a string, got ${quote(reason)}`);
    }
    const subject = subjectOf(entry);
    this.#remove(subject.entry);
    if (this.#entries.size >= this.#capacity) this.#makeRoom();
    const banned = {
      ...subject,
      reason: reason.slice(0, MAX_REASON_LENGTH),
      endsAt: this.#clock() + durationMs,
    };
    this.#entries.set(subject.entry, banned);
    this.#prefixes.set(subject.prefix, (this.#prefixes.get(subject.prefix) ?? 0) + 1);
    this.#tell("banned", banned);
  }

  /**
   * Ends the ban of exactly this entry: unbanning an address leaves that of its network. Returns
   * whether there was one in force.
   */
  unban(entry: string): boolean {
    const known = this.#remove(subjectOf(entry).entry);
    if (known === undefined || known.endsAt <= this.#clock()) return false;
    this.#tell("unbanned", known);
    return true;
  }

  /** Returns the ban of an address, of a network that holds it, or of a key; undefined without one. */
  find(addressOrKey: string): Ban | undefined {
    if (this.#entries.size === 0) return undefined;
    const address = parseIpAddress(addressOrKey);
    if (address === undefined) return this.#inForce(addressOrKey);
    for (const prefix of this.#prefixes.keys()) {
      if (prefixVersion(prefix) !== address.version) continue;
      const ban = this.#inForce(networkEntry(address, prefixLength(prefix)));
      if (ban !== undefined) return ban;
    }
    return undefined;
  }

  /** Returns the bans in force, first made first. */
  list(): readonly Ban[] {
    return [...this.#entries.keys()].flatMap((entry) => this.#inForce(entry) ?? []);
  }

  /** Calls `listener` at every change but the end of a ban; returns what stops that. */
  onChange(listener: (event: BanEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #inForce(entry: string): Ban | undefined {
    const known = this.#entries.get(entry);
    if (known === undefined) return undefined;
    if (known.endsAt > this.#clock()) return this.#banOf(known);
    this.#remove(entry);
    return undefined;
  }

  #remove(entry: string): Entry | undefined {
    const known = this.#entries.get(entry);
    if (known === undefined) return undefined;
    this.#entries.delete(entry);
    const left = this.#prefixes.get(known.prefix)! - 1;
    if (left === 0) this.#prefixes.delete(known.prefix);
    else this.#prefixes.set(known.prefix, left);
    return known;
  }

  #makeRoom(): void {
    const now = this.#clock();
    for (const { entry, endsAt } of this.#entries.values()) if (endsAt <= now) this.#remove(entry);
    // A tenth at once: a Map walks over the holes of earlier deletions to find its first entry.
    let surplus = this.#entries.size - Math.floor(this.#capacity * 0.9);
    for (const entry of this.#entries.keys()) {
      if (surplus-- <= 0) return;
      this.#remove(entry);
    }
  }

  #tell(kind: BanEvent["kind"], entry: Entry): void {
    for (const listener of this.#listeners) listener({ kind, ban: this.#banOf(entry) });
  }

  #banOf({ entry, isKey, reason, endsAt }: Entry): Ban {
    return { entry, isKey, reason, remainingMs: Math.max(endsAt - this.#clock(), 0) };
  }
}

const KEY_PREFIX = 0;

function subjectOf(text: unknown): Pick<Entry, "entry" | "isKey" | "prefix"> {
  if (typeof text !== "string") throw new TypeError(`Cannot ban ${quote(text)}: it is no string`);
  if (!isNetwork(text)) return { entry: text, isKey: true, prefix: KEY_PREFIX };
  const { first, prefixLength: length } = parseNetwork("entry", text);
  return {
    entry: networkEntry(first, length),
    isKey: false,
    prefix: first.version * 1000 + length,
  };
}

function networkEntry(address: IpAddress, length: number): string {
  const text = formatIpAddress(networkOf(address, length));
  return length === (address.version === 4 ? 32 : 128) ? text : `${text}/${length}`;
}

function prefixVersion(prefix: number): number {
  return Math.floor(prefix / 1000);
}

function prefixLength(prefix: number): number {
  return prefix % 1000;
}
