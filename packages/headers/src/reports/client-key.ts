import { isIPv6 } from "node:net";

/**
 * Returns what stands for the client at an address: IPv4 as it is, of IPv6 the first 64 bits, which
 * one client can vary the rest of at will.
 */
export function clientKey(address: string | undefined): string {
  if (address === undefined || !isIPv6(address)) return address ?? "";
  const [plain = ""] = address.split("%", 1);
  const canonical = new URL(`http://[${plain}]`).hostname.slice(1, -1);
  if (canonical.startsWith("::ffff:")) return canonical;
  const [head = "", tail] = canonical.split("::");
  const groups = head === "" ? [] : head.split(":");
  const tailGroups = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - groups.length - tailGroups.length;
  return [...groups, ...Array<string>(zeros).fill("0"), ...tailGroups].slice(0, 4).join(":");
}
