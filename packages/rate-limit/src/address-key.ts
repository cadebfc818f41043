import { isIP } from "node:net";
import {
  embeddedIpv4,
  formatIpAddress,
  hasPrefix,
  networkOf,
  parseIpAddress,
} from "./ip-address.ts";
import type { IpAddress } from "./ip-address.ts";
import { requireInteger, requireKnownKeys } from "./options.ts";

/** The key shared by everything that has no address: all of it is limited as one client. */
export const UNKNOWN_ADDRESS = "unknown";

const DEFAULT_IPV6_PREFIX = 64;

const NAT64_PREFIX: readonly number[] = [0x64, 0xff9b, 0, 0, 0, 0];
const SIX_TO_FOUR_PREFIX: readonly number[] = [0x2002];
const SPECIAL_PREFIX: readonly number[] = [0, 0, 0, 0, 0, 0];

/** Options of `addressKey`. */
export interface AddressKeyOptions {
  /**
   * Leading bits of an IPv6 address that make one client. Integer from 32 to 64.
   *
   * 64 is what every host can choose its own addresses from, and all that a mobile phone or a rented
   * server gets; 56 is what many home lines get, and at some hosting companies 256 customers.
   *
   * @default 64
   */
  readonly ipv6Prefix?: number;
}

const ADDRESS_KEY_OPTIONS = { ipv6Prefix: true } satisfies Record<keyof AddressKeyOptions, true>;

/** Returns the prefix length when it is usable, or the default. */
export function requireIpv6Prefix(value: unknown): number {
  return requireInteger("ipv6Prefix", value ?? DEFAULT_IPV6_PREFIX, 32, 64);
}

/**
 * Returns the rate limit key of a client address.
 *
 * IPv4, also mapped (`::ffff:192.0.2.1`) or from NAT64 (`64:ff9b::/96`): the IPv4 address. IPv6: its
 * network, as `2001:db8:0:1::/64`. 6to4 (`2002::/16`): the /48 that stands for one IPv4 address.
 * `::1` is itself. Anything that is no address: `"unknown"`, one key for all.
 *
 * @throws {RangeError} If `ipv6Prefix` is not an integer from 32 to 64.
 */
export function addressKey(address: string, options: AddressKeyOptions = {}): string {
  requireKnownKeys("address key", options, ADDRESS_KEY_OPTIONS);
  return keyOf(address, requireIpv6Prefix(options.ipv6Prefix));
}

/** `addressKey` for settings that have been checked. */
export function keyOf(text: string, ipv6Prefix: number): string {
  if (isIP(text) === 4) return text;
  const address = parseIpAddress(text);
  if (address === undefined) return UNKNOWN_ADDRESS;
  if (address.version === 4) return formatIpAddress(address);
  if (hasPrefix(address.groups, NAT64_PREFIX)) return formatIpAddress(embeddedIpv4(address.groups));
  if (hasPrefix(address.groups, SPECIAL_PREFIX)) return formatIpAddress(address);
  if (hasPrefix(address.groups, SIX_TO_FOUR_PREFIX)) {
    return networkKey(address, Math.min(ipv6Prefix, 48));
  }
  return networkKey(address, ipv6Prefix);
}

function networkKey(address: IpAddress, prefixLength: number): string {
  return `${formatIpAddress(networkOf(address, prefixLength))}/${prefixLength}`;
}
