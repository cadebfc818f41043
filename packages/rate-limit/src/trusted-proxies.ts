import { networkList } from "./network-list.ts";

/** The proxies whose word about their clients is believed. */
export interface TrustedProxies {
  /** Tells whether a canonical address is that of a trusted proxy. */
  includes(address: string): boolean;
}

/**
 * Returns the set of the proxies in the given networks: `"10.0.0.0/8"`, `"2001:db8::/32"`, or single
 * addresses. An empty list trusts nobody.
 *
 * Whoever can connect from one of these addresses chooses its own client address: list the proxies
 * that stand directly before this process, and nothing that a client can reach it from. Hop counts
 * are not offered: a client that connects directly would count itself as the proxy.
 *
 * @throws {TypeError} If `cidrs` is no array of strings, or an entry is no address or network.
 * @throws {RangeError} If a prefix length is out of range, covers every address, or leaves bits of
 * the address outside.
 */
export function trustedProxies(cidrs: readonly string[]): TrustedProxies {
  return networkList("trustedProxies", cidrs);
}
