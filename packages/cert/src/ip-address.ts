import { isIP } from "node:net";

/** A text in its canonical form, or why it is refused: the end of "Cannot use X: ...". */
export type Parsed = { readonly value: string } | { readonly reason: string };

/**
 * Returns an IP address in canonical form: four decimal numbers, or RFC 5952.
 * Whatever `inet_aton` reads differently on another system (octal, hexadecimal, short forms) is refused.
 */
export function parseIpAddress(text: string): Parsed {
  if (text.includes("%")) {
    return {
      reason: `the zone ${text.slice(text.indexOf("%"))} has a meaning on one machine only`,
    };
  }
  const family = isIP(text);
  if (family === 0) return { reason: "it is not a valid IP address" };
  if (family === 4) return { value: text };
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
  // RFC 4291 section 2.5.5.2: clients compare the four bytes of the IPv4 address they connect to.
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonical);
  if (mapped !== null) {
    const groups = mapped.slice(1).flatMap((group) => groupBytes(group));
    return { reason: `it is an IPv4 address in IPv6 form; use ${quoteAddress(groups)}` };
  }
  return { value: canonical };
}

/** Returns the 4 or 16 bytes of a canonical address. */
export function ipAddressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const before = head.split(":").filter(Boolean).flatMap(groupBytes);
  const after = (tail ?? "").split(":").filter(Boolean).flatMap(groupBytes);
  return Buffer.from([
    ...before,
    ...Array<number>(16 - before.length - after.length).fill(0),
    ...after,
  ]);
}

/** Returns the canonical text of 4 or 16 bytes, or undefined for any other number of bytes. */
export function formatIpAddress(bytes: Buffer): string | undefined {
  if (bytes.length === 4) return [...bytes].join(".");
  if (bytes.length !== 16) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) =>
    bytes.readUInt16BE(2 * index).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** A range of addresses, as RFC 5280 section 4.2.1.10 writes it into name constraints. */
export interface IpRange {
  readonly address: Buffer;
  readonly mask: Buffer;
}

/** Returns the range of a CIDR such as "10.0.0.0/8", or undefined when bits are set below the prefix. */
export function parseCidr(cidr: string): IpRange | undefined {
  const match = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(cidr);
  const [, text = "", prefixText = ""] = match ?? [];
  const parsed = parseIpAddress(text);
  if (!("value" in parsed)) return undefined;
  const address = ipAddressBytes(parsed.value);
  const prefix = Number(prefixText);
  if (prefix > address.length * 8) return undefined;
  const mask = prefixMask(address, prefix);
  return address.every((byte, index) => (byte & ~(mask[index] ?? 0)) === 0)
    ? { address, mask }
    : undefined;
}

/** Returns the range that `formatCidr` wrote: of a foreign certificate, with whatever bits it has set. */
export function readRange(text: string): IpRange | undefined {
  const [addressText = "", maskText = ""] = text.split("/");
  if (isIP(addressText) === 0) return undefined;
  const address = ipAddressBytes(addressText);
  const prefix = /^\d+$/.test(maskText) ? Number(maskText) : undefined;
  if (prefix === undefined && isIP(maskText) !== isIP(addressText)) return undefined;
  return {
    address,
    mask: prefix === undefined ? ipAddressBytes(maskText) : prefixMask(address, prefix),
  };
}

/** Returns the CIDR of a range, or "address/mask" when the mask is no prefix. */
export function formatCidr({ address, mask }: IpRange): string {
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const prefix = /^1*/.exec(bits)?.[0].length ?? 0;
  const isPrefix = !bits.slice(prefix).includes("1");
  const text = formatIpAddress(address) ?? address.toString("hex");
  return `${text}/${isPrefix ? prefix : (formatIpAddress(mask) ?? mask.toString("hex"))}`;
}

/** Whether `address` lies in the range; an address of the other family never does. */
export function isInRange({ address, mask }: IpRange, candidate: Buffer): boolean {
  return (
    candidate.length === address.length &&
    candidate.every((byte, index) => ((byte ^ (address[index] ?? 0)) & (mask[index] ?? 0)) === 0)
  );
}

function prefixMask(address: Buffer, prefix: number): Buffer {
  return Buffer.from(
    address.map((_, index) => 0xff & ~(0xff >> Math.min(8, Math.max(0, prefix - 8 * index)))),
  );
}

function groupBytes(group: string): number[] {
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}

function quoteAddress(bytes: readonly number[]): string {
  return `"${bytes.join(".")}"`;
}
