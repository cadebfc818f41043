import { isIP } from "node:net";

/** An address by value: four octets, or eight groups of 16 bits. IPv4-mapped IPv6 is version 4. */
export interface IpAddress {
  readonly version: 4 | 6;
  readonly groups: readonly number[];
}

const MAPPED_PREFIX: readonly number[] = [0, 0, 0, 0, 0, 0xffff];

/**
 * Returns the address that `text` spells, or undefined when it spells none.
 * A zone (`%eth0`) is dropped: it names an interface of ours and would multiply one address.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  const version = isIP(text);
  if (version === 0) return undefined;
  if (version === 4) return { version: 4, groups: octetsOf(text) };
  const groups = groupsOf(text.split("%", 1)[0]!);
  // By bits, not by notation: ::ffff:102:304 is 1.2.3.4 too, and 2001:db8::1.2.3.4 is not.
  return hasPrefix(groups, MAPPED_PREFIX) ? embeddedIpv4(groups) : { version: 6, groups };
}

/** Returns the one canonical spelling of an address (RFC 5952 for IPv6). */
export function formatIpAddress({ version, groups }: IpAddress): string {
  if (version === 4) return groups.join(".");
  const { start, length } = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  // RFC 5952 section 4.2.2: a single group of zeros is not shortened.
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** Returns the first address of the network of `prefixLength` bits around an address. */
export function networkOf({ version, groups }: IpAddress, prefixLength: number): IpAddress {
  const width = version === 4 ? 8 : 16;
  const masked = groups.map((group, index) => {
    const kept = Math.min(Math.max(prefixLength - index * width, 0), width);
    return group & ~((1 << (width - kept)) - 1);
  });
  return { version, groups: masked };
}

/** Tells whether an address begins with the given groups. */
export function hasPrefix(groups: readonly number[], prefix: readonly number[]): boolean {
  return prefix.every((group, index) => groups[index] === group);
}

/** Returns the IPv4 address in the last 32 bits of an IPv6 address. */
export function embeddedIpv4(groups: readonly number[]): IpAddress {
  return { version: 4, groups: groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]) };
}

function octetsOf(text: string): number[] {
  return text.split(".").map(Number);
}

function groupsOf(text: string): number[] {
  const [head = "", tail] = text.split("::");
  if (tail === undefined) return groupsOfRun(head);
  const before = groupsOfRun(head);
  const after = groupsOfRun(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after];
}

function groupsOfRun(run: string): number[] {
  if (run === "") return [];
  return run.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const octets = octetsOf(group);
    return [(octets[0]! << 8) | octets[1]!, (octets[2]! << 8) | octets[3]!];
  });
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > longest.length) longest = { start: index - length + 1, length };
  }
  return longest;
}
