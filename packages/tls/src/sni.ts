import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { CertificatePair } from "./certificate-pair.ts";

/** A pair with the names it is good for. */
export interface NamedPair {
  readonly pair: CertificatePair;
  readonly serverNames: readonly string[];
}

const MAX_NAME_LENGTH = 253;
const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const SERVER_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/**
 * Returns the name of a ClientHello in the one spelling certificates are looked up by: lower-case,
 * no trailing dot. Undefined for addresses and for everything that is no host name.
 *
 * @see RFC 6066 section 3
 */
export function canonicalServerName(raw: string): string | undefined {
  // CVE-2026-48928: an upper-case name must not select another context than its lower-case spelling.
  const name = (raw.endsWith(".") ? raw.slice(0, -1) : raw).toLowerCase();
  return name.length <= MAX_NAME_LENGTH && SERVER_NAME.test(name) && isIP(name) === 0
    ? name
    : undefined;
}

/**
 * Returns the DNS names of a certificate, lower-case, wildcards included. The common name does not count.
 *
 * @see RFC 9525 section 6.3
 */
export function certificateServerNames(certificate: X509Certificate): readonly string[] {
  // Node quotes values that hold a comma or a quote (CVE-2021-44532); no host name needs quoting.
  const entries = certificate.subjectAltName?.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];
  return entries
    .map((entry) => entry.trim())
    .filter((entry) => entry.startsWith("DNS:"))
    .map((entry) => entry.slice("DNS:".length).toLowerCase())
    .filter((name) => SERVER_NAME.test(name.startsWith("*.") ? name.slice(2) : name));
}

/**
 * Returns a lookup in constant time: the exact name, else the wildcard one label up, else the first pair.
 * Where two pairs share a name the earlier one answers.
 *
 * @see RFC 9525 section 6.3
 */
export function serverNameLookup(
  pairs: readonly NamedPair[],
): (serverName: string | undefined) => CertificatePair | undefined {
  const byName = new Map<string, CertificatePair>();
  for (const { pair, serverNames } of pairs) {
    for (const name of serverNames) if (!byName.has(name)) byName.set(name, pair);
  }
  const fallback = pairs[0]?.pair;
  return (serverName) => {
    if (serverName === undefined) return fallback;
    return byName.get(serverName) ?? byName.get(wildcardFor(serverName)) ?? fallback;
  };
}

function wildcardFor(serverName: string): string {
  const dot = serverName.indexOf(".");
  return dot === -1 ? "" : `*${serverName.slice(dot)}`;
}
