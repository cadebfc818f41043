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
  if (version === 4) return { version: 4, groups: text.split(".").map(Number) };
  const groups = groupsOf(text.includes("%") ? text.slice(0, text.indexOf("%")) : text);
  // By bits, not by notation: ::ffff:102:304 is 1.2.3.4 too, and 2001:db8::1.2.3.4 is not.
  return hasPrefix(groups, MAPPED_PREFIX) ? embeddedIpv4(groups) : { version: 6, groups };
}

/** Returns the one canonical spelling of an address (RFC 5952 for IPv6). */
export function formatIpAddress({ version, groups }: IpAddress): string {
  if (version === 4) return groups.join(".");
  const gap = longestZeroRun(groups);
  let text = "";
  for (let index = 0; index < 8; index++) {
    if (index === gap.start) {
      text += "::";
      index += gap.length - 1;
    } else {
      if (text !== "" && !text.endsWith(":")) text += ":";
      text += groups[index]!.toString(16);
    }
  }
  return text;
}

/** Returns the canonical spelling of what `text` spells, or undefined when that is no address. */
export function canonicalIpAddress(text: string): string | undefined {
  // node:net takes only the canonical spelling for IPv4: no leading zeros, four parts.
  if (isIP(text) === 4) return text;
  // What a dual-stack socket reports for every IPv4 client; parsing it took 0.8 us.
  if (text.startsWith("::ffff:") && isIP(text.slice(7)) === 4) return text.slice(7);
  const address = parseIpAddress(text);
  return address === undefined ? undefined : formatIpAddress(address);
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
  const high = groups[6]!;
  const low = groups[7]!;
  return { version: 4, groups: [high >> 8, high & 0xff, low >> 8, low & 0xff] };
}

function groupsOf(text: string): number[] {
  const gap = text.indexOf("::");
  const groups: number[] = [];
  if (gap === -1) {
    appendRun(groups, text);
    return groups;
  }
  const tail: number[] = [];
  appendRun(groups, text.slice(0, gap));
  appendRun(tail, text.slice(gap + 2));
  while (groups.length + tail.length < 8) groups.push(0);
  groups.push(...tail);
  return groups;
}

function appendRun(groups: number[], run: string): void {
  if (run === "") return;
  for (const group of run.split(":")) {
    if (group.includes(".")) {
      const octets = group.split(".").map(Number);
      groups.push((octets[0]! << 8) | octets[1]!, (octets[2]! << 8) | octets[3]!);
    } else {
      groups.push(Number.parseInt(group, 16));
    }
  }
}

/** The first longest run of zeros; RFC 5952 section 4.2.2 wants no run of one shortened. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: -1, length: 1 };
  let length = 0;
  for (let index = 0; index < groups.length; index++) {
    length = groups[index] === 0 ? length + 1 : 0;
    if (length > longest.length) longest = { start: index - length + 1, length };
  }
  return longest;
}
