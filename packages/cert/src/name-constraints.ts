import { isIP } from "node:net";
import { parseDnsName } from "./dns-name.ts";
import { formatCidr, ipAddressBytes, isInRange, parseCidr, readRange } from "./ip-address.ts";
import { quote } from "./quote.ts";
import type { SubjectName } from "./subject-names.ts";

/** What a CA may be allowed to sign. Each list holds at least one entry. */
export interface PermittedNames {
  /** Names that stand for themselves and everything below them: "test", "corp.example". */
  readonly dns: readonly string[];
  /** Ranges in CIDR notation: "10.0.0.0/8", "fd00::/8". */
  readonly ip: readonly string[];
}

/**
 * What a development CA may sign unless told otherwise: names that never resolve on the public
 * Internet and addresses that are never routed there, so that a stolen CA key opens nothing else.
 *
 * @see RFC 6761, RFC 6762, RFC 8375, RFC 1918, RFC 3927, RFC 4193, RFC 4291
 */
export const DEVELOPMENT_NAMES: PermittedNames = {
  dns: ["localhost", "test", "internal", "local", "home.arpa"],
  ip: [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
  ],
};

/**
 * Returns `DEVELOPMENT_NAMES` and `entries` on top: host names that stand for themselves and everything
 * below them, ranges in CIDR notation, and single addresses.
 *
 * @throws {TypeError} If an entry is none of these
 */
export function widenNames(entries: readonly string[]): PermittedNames {
  const dns = new Set(DEVELOPMENT_NAMES.dns);
  const ip = new Set(DEVELOPMENT_NAMES.ip);
  for (const entry of entries) {
    const family = isIP(entry);
    const range = canonicalRange(family === 0 ? entry : `${entry}/${family === 4 ? 32 : 128}`);
    const name = canonicalBase(entry);
    if (range !== undefined) ip.add(range);
    else if (name !== undefined) dns.add(name);
    else {
      throw new TypeError(
        `Cannot permit ${quote(entry)}: wanted a host name such as "example.com", ` +
          'an address, or a range such as "10.0.0.0/8" whose address has no bits below its length',
      );
    }
  }
  return { dns: [...dns], ip: [...ip] };
}

/** Subtrees of one direction, each list in the notation of RFC 5280 section 4.2.1.10. */
export interface NameSubtrees {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly email: readonly string[];
  readonly uri: readonly string[];
}

/** The name constraints of a CA certificate. A type without permitted entries is unlimited. */
export interface NameConstraints {
  readonly permitted: NameSubtrees;
  readonly excluded: NameSubtrees;
}

const NO_SUBTREES: NameSubtrees = { dns: [], ip: [], email: [], uri: [] };

/**
 * Returns the constraints that permit `names` and the e-mail addresses and URIs below the DNS names.
 * Without those two every mailbox and URI would stay permitted, as RFC 5280 limits only listed types.
 *
 * @throws {TypeError} If a list is empty or an entry is malformed
 */
export function constraintsFor(names: PermittedNames): NameConstraints {
  const dns = permittedList("dns", names.dns, canonicalBase);
  const ip = permittedList("ip", names.ip, canonicalRange);
  const hosts = dns.flatMap((name) => [name, `.${name}`]);
  return { permitted: { dns, ip, email: hosts, uri: hosts }, excluded: NO_SUBTREES };
}

/** Whether a CA with these constraints may sign `name`. */
export function isPermitted(constraints: NameConstraints, name: SubjectName): boolean {
  const permitted = constraints.permitted[name.type];
  const excluded = constraints.excluded[name.type];
  if (permitted.length === 0 && excluded.length === 0) return true;
  // RFC 5280 section 4.2.1.10: a URI without a host name fails any URI constraint.
  if (name.type === "uri" && uriHost(name.value) === undefined) return false;
  if (excluded.some((subtree) => isBelow(name, subtree))) return false;
  return permitted.length === 0 || permitted.some((subtree) => isBelow(name, subtree));
}

/** Returns the entries of `names` that a CA with these constraints may not sign in full. */
export function notPermitted(
  constraints: NameConstraints | undefined,
  names: PermittedNames,
): string[] {
  if (constraints === undefined) return [];
  const { permitted, excluded } = constraints;
  const isCovered = (cidr: string): boolean =>
    permitted.ip.length === 0 || permitted.ip.some((range) => isRangeWithin(cidr, range));
  const isTouched = (cidr: string): boolean =>
    excluded.ip.some((range) => isRangeWithin(range, cidr) || isRangeWithin(cidr, range));
  return [
    ...names.dns.filter((value) => !isPermitted(constraints, { type: "dns", value })),
    ...names.ip.filter((cidr) => !isCovered(cidr) || isTouched(cidr)),
  ];
}

function isRangeWithin(inner: string, outer: string): boolean {
  const [within, around] = [readRange(inner), readRange(outer)];
  return (
    within !== undefined &&
    around !== undefined &&
    isInRange(around, within.address) &&
    around.mask.every((byte, index) => (byte & ~(within.mask[index] ?? 0)) === 0)
  );
}

function isBelow({ type, value }: SubjectName, subtree: string): boolean {
  return MATCHERS[type](value, subtree);
}

type Matcher = (value: string, subtree: string) => boolean;

const MATCHERS: Readonly<Record<SubjectName["type"], Matcher>> = {
  dns: (value, subtree) => {
    // A leading dot is no form of RFC 5280; OpenSSL and Go take it to mean the names below alone.
    if (subtree.startsWith(".")) return value.endsWith(subtree);
    return subtree === "" || value === subtree || value.endsWith(`.${subtree}`);
  },
  ip: (value, subtree) => {
    const range = readRange(subtree);
    return range !== undefined && isInRange(range, ipAddressBytes(value));
  },
  email: (value, subtree) =>
    value === subtree || isHostBelow(value.slice(value.lastIndexOf("@") + 1), subtree),
  uri: (value, subtree) => isHostBelow(uriHost(value) ?? "", subtree),
};

/** A subtree with a leading dot means the hosts below it, one without means that host alone. */
function isHostBelow(host: string, subtree: string): boolean {
  return subtree.startsWith(".") ? host.endsWith(subtree) : host === subtree;
}

function uriHost(uri: string): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(uri)?.[1] ?? "";
  // With a user in front, what looks like the host may be the user: "x://app.test:y@evil.example".
  const host = authority.includes("@") ? undefined : /^[^:[]+/.exec(authority)?.[0];
  return host === undefined || /(?:^|\.)\d+$/.test(host) ? undefined : host;
}

/** Returns the host name whose subtree an entry means, or undefined. */
function canonicalBase(entry: string): string | undefined {
  const parsed = parseDnsName(entry);
  return "value" in parsed && !parsed.value.startsWith("*") ? parsed.value : undefined;
}

function canonicalRange(entry: string): string | undefined {
  const range = parseCidr(entry);
  return range === undefined ? undefined : formatCidr(range);
}

function permittedList(
  key: keyof PermittedNames,
  entries: readonly string[],
  canonical: (entry: string) => string | undefined,
): string[] {
  const path = `nameConstraints.${key}`;
  if (!Array.isArray(entries) || entries.length === 0) {
    throw new TypeError(`${path} must list at least one entry, got ${quote(entries)}`);
  }
  return entries.map((entry: unknown, index) => {
    const value = typeof entry === "string" ? canonical(entry) : undefined;
    if (value !== undefined) return value;
    const wanted = key === "dns" ? 'a host name such as "test"' : 'a range such as "10.0.0.0/8"';
    throw new TypeError(`${path}[${index}] must be ${wanted}, got ${quote(entry)}`);
  });
}
