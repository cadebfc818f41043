import { parseIpAddress } from "./ip-address.ts";
import { networkList } from "./network-list.ts";
import { quote } from "./options.ts";

/** Clients by address or key. */
export interface KeyList {
  /** Tells whether a client is listed, by its address or by its key. */
  includes(address: string, key: string): boolean;
}

/**
 * Returns the list of what `entries` name: networks and addresses, written as for `trustedProxies`,
 * and keys, which are all others.
 *
 * @throws {TypeError} If `entries` is no array of strings.
 * @throws {RangeError} If a network covers every address or has bits outside its prefix.
 */
export function keyList(path: string, entries: unknown): KeyList {
  if (!Array.isArray(entries)) {
    throw new TypeError(`"${path}" must be an array of networks and keys, got ${quote(entries)}`);
  }
  const networks: string[] = [];
  const keys = new Set<string>();
  for (const [index, entry] of (entries as unknown[]).entries()) {
    if (typeof entry !== "string") {
      throw new TypeError(`"${path}[${index}]" must be a string, got ${quote(entry)}`);
    }
    if (isNetwork(entry)) networks.push(entry);
    else keys.add(entry);
  }
  const addresses = networkList(path, networks);
  return {
    includes: (address, key) =>
      keys.has(key) || (parseIpAddress(address) !== undefined && addresses.includes(address)),
  };
}

/** What looks like a network but is none is for `networkList` to refuse, not to be taken for a key. */
export function isNetwork(entry: string): boolean {
  return parseIpAddress(entry) !== undefined || /^[\da-f.:]+\/\d+$/i.test(entry);
}
