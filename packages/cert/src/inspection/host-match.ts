import { isIP } from "node:net";
import { ipAddressBytes, parseIpAddress } from "../ip-address.ts";
import type { SubjectName } from "../subject-names.ts";

/**
 * Whether a certificate with these names is for `host`, a host name or an IP address in canonical
 * form. A wildcard stands for exactly one label, and not right under a top-level name, as Node and
 * browsers have it. The common name counts for nothing.
 *
 * @see RFC 9525 section 6
 */
export function matchesHost(names: readonly SubjectName[], host: string): boolean {
  if (isIP(host) !== 0) {
    const wanted = ipAddressBytes(host);
    return names.some(({ type, value }) => type === "ip" && wanted.equals(ipAddressBytes(value)));
  }
  return names.some(({ type, value }) => type === "dns" && matchesDnsName(value, host));
}

/** Returns a host in the form certificates carry it: addresses canonical, names without final dot. */
export function canonicalHost(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) === 0) return bare.toLowerCase().replace(/\.$/, "");
  const parsed = parseIpAddress(bare);
  return "value" in parsed ? parsed.value : bare;
}

function matchesDnsName(pattern: string, host: string): boolean {
  const name = pattern.toLowerCase().replace(/\.$/, "");
  if (!name.startsWith("*.")) return name === host && name !== "";
  const parent = name.slice(2);
  const firstDot = host.indexOf(".");
  return firstDot > 0 && host.slice(firstDot + 1) === parent && parent.includes(".");
}
