import { keyOf } from "./address-key.ts";
import type { Ban, BanList } from "./ban-list.ts";
import { consumeAll } from "./consume-all.ts";
import { canonicalIpAddress, formatIpAddress, networkOf, parseIpAddress } from "./ip-address.ts";
import { createLimiter } from "./limiter.ts";
import type { Limiter } from "./limiter.ts";
import { MemoryStore } from "./memory-store.ts";
import { networkList } from "./network-list.ts";
import type { NetworkList } from "./network-list.ts";
import { requireFunction, requireInteger, requireKnownKeys } from "./options.ts";

/** Why a connection is refused. */
export type ConnectionRefusal =
  | "banned"
  /** Too many connections are open altogether. */
  | "total"
  /** Too many of one address are open. */
  | "address"
  /** Too many of one network are open. */
  | "prefix"
  /** One address or network opens them too fast. */
  | "rate";

/** What a connection limit says about a connection. */
export type ConnectionDecision =
  | {
      readonly kind: "admitted";
      /** Must be called once the connection is closed; further calls do nothing. */
      readonly release: () => void;
    }
  | { readonly kind: "refused"; readonly reason: ConnectionRefusal };

/** A refused connection: the first of its address in a second. */
export interface ConnectionRefusedEvent {
  readonly kind: "connection-refused";
  readonly address: string;
  readonly reason: ConnectionRefusal;
  readonly ban?: Ban;
}

/** Options of `createConnectionLimit`. `false` lifts a limit. */
export interface ConnectionLimitOptions {
  /**
   * Connections of one address open at once: an IPv4 address, an IPv6 /64. Integer from 1 to
   * 1,000,000. A browser opens 1 over HTTP/2 and up to 6 over HTTP/1.1; behind one IPv4 address there
   * may be an office or a mobile carrier.
   *
   * @default 1024
   */
  readonly perAddress?: number | false;
  /**
   * Connections of one network open at once: an IPv4 /24, an IPv6 /48. Integer from 1 to 1,000,000.
   *
   * @default 4096
   */
  readonly perPrefix?: number | false;
  /**
   * Connections open at once altogether. Integer from 1 to 10,000,000. An idle TLS connection takes
   * about 75 KB.
   *
   * @default 8192
   */
  readonly total?: number | false;
  /**
   * Connections that one address may open per second, over time; ten times as many at once. Four
   * times as many for a network. Integer from 1 to 1,000,000. A full TLS handshake takes half a
   * millisecond of processor time.
   *
   * @default 100
   */
  readonly handshakesPerSecond?: number | false;
  /**
   * Addresses and networks that only `total` counts: the proxies and load balancers directly before
   * this process, behind which everybody has the same address.
   *
   * @default []
   */
  readonly exempt?: readonly string[];
  /** Addresses and networks that are refused. */
  readonly bans?: BanList;
  /**
   * Returns monotonic milliseconds.
   *
   * @default performance.now
   */
  readonly clock?: () => number;
  /** Is told of refused connections, at most once a second for each address. Must not throw. */
  readonly onEvent?: (event: ConnectionRefusedEvent) => void;
}

const CONNECTION_LIMIT_KEYS = {
  perAddress: true,
  perPrefix: true,
  total: true,
  handshakesPerSecond: true,
  exempt: true,
  bans: true,
  clock: true,
  onEvent: true,
} satisfies Record<keyof ConnectionLimitOptions, true>;

/** Plain numbers about connections since the limit was made. */
export interface ConnectionMetrics {
  readonly open: number;
  readonly admitted: number;
  readonly refused: Readonly<Record<ConnectionRefusal, number>>;
}

/** Decides about connections before a byte of them is read. */
export interface ConnectionLimit {
  /**
   * Decides about a connection that has been accepted, by `socket.remoteAddress`. A refused one
   * should be destroyed at once. Without an address (a Unix socket) only `total` counts.
   */
  accept(remoteAddress: string | undefined): ConnectionDecision;
  metrics(): ConnectionMetrics;
}

const BURST_SECONDS = 10;
const PREFIX_FACTOR = 4;
const IPV6_ADDRESS_BITS = 64;
const NETWORK_BITS = { 4: 24, 6: 48 } as const;
const RATE_SLOTS = 65_536;

/**
 * Returns a limit for connections, to be asked before any cryptography.
 *
 * Memory: an entry for each address and network with open connections, and 1 MiB for the rates.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type.
 * @throws {RangeError} If a number is out of range.
 */
export function createConnectionLimit(options: ConnectionLimitOptions = {}): ConnectionLimit {
  const { perAddress, perPrefix, total, exempt, bans, onEvent, rates, events } =
    parseOptions(options);
  const byAddress = new OpenConnections(perAddress);
  const byPrefix = new OpenConnections(perPrefix);
  const refused = { banned: 0, total: 0, address: 0, prefix: 0, rate: 0 };
  let open = 0;
  let admitted = 0;

  function admit(leave: () => void): ConnectionDecision {
    open++;
    admitted++;
    let isOpen = true;
    return {
      kind: "admitted",
      release() {
        if (!isOpen) return;
        isOpen = false;
        open--;
        leave();
      },
    };
  }

  function refuse(address: string, reason: ConnectionRefusal, ban?: Ban): ConnectionDecision {
    refused[reason]++;
    if (events.consume(address).kind === "admitted") {
      onEvent({ kind: "connection-refused", address, reason, ...(ban !== undefined && { ban }) });
    }
    return { kind: "refused", reason };
  }

  function accept(remoteAddress: string | undefined): ConnectionDecision {
    const address = canonicalIpAddress(remoteAddress ?? "");
    const isExempt = address === undefined || exempt.includes(address);
    if (address !== undefined) {
      const ban = bans?.find(address);
      if (ban !== undefined) return refuse(address, "banned", ban);
    }
    if (open >= total) return refuse(address ?? "unknown", "total");
    if (isExempt) return admit(() => undefined);

    const client = keyOf(address, IPV6_ADDRESS_BITS);
    const network = networkKey(address);
    if (byAddress.isFull(client)) return refuse(address, "address");
    if (byPrefix.isFull(network)) return refuse(address, "prefix");
    if (rates !== undefined) {
      const [perClient, perNetwork] = rates;
      const decision = consumeAll([
        { limiter: perClient, key: client },
        { limiter: perNetwork, key: network },
      ]);
      if (decision.kind === "limited") return refuse(address, "rate");
    }
    byAddress.enter(client);
    byPrefix.enter(network);
    return admit(() => {
      byAddress.leave(client);
      byPrefix.leave(network);
    });
  }

  return Object.freeze({
    accept,
    metrics: () => ({ open, admitted, refused: { ...refused } }),
  });
}

/** How many connections are open by key, for the keys that have any. */
class OpenConnections {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  isFull(key: string): boolean {
    return (this.#counts.get(key) ?? 0) >= this.#limit;
  }

  enter(key: string): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  leave(key: string): void {
    const left = this.#counts.get(key)! - 1;
    if (left === 0) this.#counts.delete(key);
    else this.#counts.set(key, left);
  }
}

interface Settings {
  readonly perAddress: number;
  readonly perPrefix: number;
  readonly total: number;
  readonly exempt: NetworkList;
  readonly bans: BanList | undefined;
  readonly rates: readonly [Limiter, Limiter] | undefined;
  /** Lets one event per second and address through. */
  readonly events: Limiter;
  readonly onEvent: (event: ConnectionRefusedEvent) => void;
}

function parseOptions(options: ConnectionLimitOptions): Settings {
  requireKnownKeys("connection limit", options, CONNECTION_LIMIT_KEYS);
  requireFunction("clock", options.clock);
  requireFunction("onEvent", options.onEvent);
  const { clock, bans, exempt = [] } = options;
  const perSecond = limitOf("handshakesPerSecond", options.handshakesPerSecond ?? 100, 1_000_000);
  const limiterOptions = {
    store: new MemoryStore({ capacity: RATE_SLOTS }),
    ...(clock !== undefined && { clock }),
  };
  const rateOf = (name: string, limit: number): Limiter =>
    createLimiter({ name, limit, windowMs: 1000, burst: limit * BURST_SECONDS }, limiterOptions);
  return {
    perAddress: limitOf("perAddress", options.perAddress ?? 1024, 1_000_000),
    perPrefix: limitOf("perPrefix", options.perPrefix ?? 4096, 1_000_000),
    total: limitOf("total", options.total ?? 8192, 10_000_000),
    exempt: networkList("exempt", exempt),
    bans,
    rates:
      perSecond === Infinity
        ? undefined
        : [rateOf("address", perSecond), rateOf("prefix", perSecond * PREFIX_FACTOR)],
    events: createLimiter({ name: "events", limit: 1, windowMs: 1000 }, limiterOptions),
    onEvent: options.onEvent ?? (() => undefined),
  };
}

function limitOf(path: string, value: unknown, maximum: number): number {
  return value === false ? Infinity : requireInteger(path, value, 1, maximum);
}

function networkKey(text: string): string {
  const address = parseIpAddress(text)!;
  return formatIpAddress(networkOf(address, NETWORK_BITS[address.version]));
}
