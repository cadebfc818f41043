import { BlockList } from "node:net";
import { formatIpAddress, networkOf, parseIpAddress } from "./ip-address.ts";
import type { IpAddress } from "./ip-address.ts";
import { quote } from "./options.ts";

/** Addresses by the networks that hold them. */
export interface NetworkList {
  /** Tells whether one of the networks holds a canonical address. */
  includes(address: string): boolean;
}

/**
 * Returns the list of the given networks: `"10.0.0.0/8"`, `"2001:db8::/32"`, or single addresses.
 * `path` is the option they come from.
 *
 * @throws {TypeError} If `cidrs` is no array of strings, or an entry is no address or network.
 * @throws {RangeError} If a prefix length is out of range, covers every address, or leaves bits of
 * the address outside.
 */
export function networkList(path: string, cidrs: readonly string[]): NetworkList {
  if (!Array.isArray(cidrs)) {
    throw new TypeError(`"${path}" must be an array of networks, got ${quote(cidrs)}`);
  }
  const networks = new BlockList();
  cidrs.forEach((cidr: unknown, index) => {
    const { first, prefixLength } = parseNetwork(`${path}[${index}]`, cidr);
    const family = first.version === 4 ? "ipv4" : "ipv6";
    networks.addSubnet(formatIpAddress(first), prefixLength, family);
  });
  return Object.freeze({
    includes: (address: string) => networks.check(address, address.includes(":") ? "ipv6" : "ipv4"),
  });
}

/** A network by its first address. */
export interface Network {
  readonly first: IpAddress;
  readonly prefixLength: number;
}

/**
 * Returns the network that `cidr` spells, or that of the one address. `path` is the option it comes
 * from.
 *
 * @throws {TypeError} If it is no address or network.
 * @throws {RangeError} If the prefix length is out of range or 0, or leaves bits of the address
 * outside.
 */
export function parseNetwork(path: string, cidr: unknown): Network {
  const match = typeof cidr === "string" ? /^([^/]+)(?:\/(\d{1,3}))?$/.exec(cidr) : null;
  const address = match === null ? undefined : parseIpAddress(match[1]!);
  if (match === null || address === undefined) {
    throw new TypeError(
      `"${path}" must be an IP address or a network such as "10.0.0.0/8", got ${quote(cidr)}`,
    );
  }
  const longest = address.version === 4 ? 32 : 128;
  const prefixLength = Number(match[2] ?? longest);
  if (prefixLength < 1 || prefixLength > longest) {
    throw new RangeError(
      `"${path}" must have a prefix length from 1 to ${longest}, got ${quote(cidr)}`,
    );
  }
  const text = formatIpAddress(address);
  const first = networkOf(address, prefixLength);
  const network = formatIpAddress(first);
  if (text !== network) {
    throw new RangeError(
      `"${path}" must be "${network}/${prefixLength}" or "${text}", got ${quote(cidr)}`,
    );
  }
  return { first, prefixLength };
}
