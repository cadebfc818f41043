import { isIP } from "node:net";
import { parseDnsName } from "./dns-name.ts";
import { parseIpAddress, type Parsed } from "./ip-address.ts";
import { quote } from "./quote.ts";

/** A subject alternative name in canonical form. */
export interface SubjectName {
  readonly type: "dns" | "ip" | "email" | "uri";
  readonly value: string;
}

/** Public CAs allow as many; a longer list makes every handshake carry it. */
const MAX_NAMES = 100;

/**
 * Returns the names of a certificate in canonical form and in the order given, duplicates folded.
 * DNS names become A-labels in lower case without the final dot; addresses take the form of RFC 5952;
 * a text with "://" or "urn:" is a URI, one with "@" an e-mail address.
 * Does not ask whether anybody owns the names, and knows no public suffixes beyond single labels.
 *
 * @throws {TypeError} If the list is empty or too long, or a name is malformed; tells why
 * @see RFC 5280 section 4.2.1.6
 */
export function parseSubjectNames(names: readonly string[]): SubjectName[] {
  if (!Array.isArray(names)) {
    throw new TypeError(`names must be an array of strings, got ${quote(names)}`);
  }
  if (names.length === 0 || names.length > MAX_NAMES) {
    throw new TypeError(`names must hold 1 to ${MAX_NAMES} names, got ${names.length}`);
  }
  const parsed = names.map((name: unknown, index) => {
    if (typeof name !== "string") {
      throw new TypeError(`names[${index}] must be a string, got ${quote(name)}`);
    }
    return parseSubjectName(name);
  });
  const unique = new Map(parsed.map((name) => [`${name.type}:${name.value}`, name]));
  return [...unique.values()];
}

function parseSubjectName(text: string): SubjectName {
  const type = nameType(text);
  const parsed = type === undefined ? { reason: shapeFault(text) } : PARSERS[type](text);
  if (type !== undefined && "value" in parsed) return { type, value: parsed.value };
  throw new TypeError(
    `Cannot use ${quote(text)} as a certificate name: ${"reason" in parsed ? parsed.reason : ""}`,
  );
}

const PARSERS: Readonly<Record<SubjectName["type"], (text: string) => Parsed>> = {
  dns: parseDnsName,
  ip: parseIpAddress,
  email: parseEmailAddress,
  uri: parseUri,
};

/** Returns what a text is meant to be, or undefined when it has the shape of nothing. */
function nameType(text: string): SubjectName["type"] | undefined {
  if (text === "" || /[\s\p{Cc}]/u.test(text)) return undefined;
  if (isIP(text) !== 0) return "ip";
  if (/^(?:[a-z][a-z0-9+.-]*:\/\/|urn:)/i.test(text)) return "uri";
  if (text.includes("@")) return "email";
  return /[:/[\]]/.test(text) ? undefined : "dns";
}

function shapeFault(text: string): string {
  if (text === "") return "it is empty";
  if (/[\s\p{Cc}]/u.test(text)) return "it contains white space or a control character";
  if (/^[0-9a-f.:]+\/\d+$/i.test(text)) return "it is a range; list single addresses";
  if (/^\[.*\]$/.test(text)) return `write the address without brackets`;
  const port = /^([^:/]+):\d+$/.exec(text);
  if (port !== null) return `a certificate has no port; use ${quote(port[1])}`;
  return text.includes(":") ? "it is not a valid IPv6 address" : "it contains a slash or bracket";
}

/** @see RFC 5280 section 4.2.1.6 (rfc822Name: an ASCII dot-atom, "@" and a host) */
function parseEmailAddress(text: string): Parsed {
  const at = text.lastIndexOf("@");
  const local = text.slice(0, at);
  const isDotAtom = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i.test(
    local,
  );
  if (!isDotAtom || local.length > 64) {
    return { reason: "what stands before the @ is not a plain ASCII mailbox name" };
  }
  const host = parseDnsName(text.slice(at + 1));
  if ("reason" in host) return { reason: `in the part after the @, ${host.reason}` };
  if (host.value.startsWith("*")) return { reason: "an e-mail address has no wildcard" };
  return { value: `${local}@${host.value}` };
}

/** @see RFC 3986 section 3, RFC 8141 section 2, RFC 5280 section 4.2.1.6 (absolute, in ASCII) */
function parseUri(text: string): Parsed {
  if (!/^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/.test(text)) {
    return { reason: "a URI is ASCII; write other characters as %XX" };
  }
  const urn = /^urn:([a-z0-9][a-z0-9-]{0,30}[a-z0-9]):(.+)$/i.exec(text);
  if (urn !== null) return { value: `urn:${urn[1]?.toLowerCase()}:${urn[2]}` };
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i.exec(text);
  if (match === null) return { reason: "a URN is urn:<namespace>:<name>" };
  const [, scheme = "", authority = "", rest = ""] = match;
  const host = /^(?:\[([^\]]*)\]|([^:@[\]]+))(:\d+)?$/.exec(authority);
  if (host === null) return { reason: "a URI needs a host, and no user before it" };
  // A browser never looks at URI names, so a web address here is a host name with a slip of the hand.
  if (/^(?:https?|wss?)$/i.test(scheme)) {
    return { reason: `a web address is not a name; use its host ${quote(host[1] ?? host[2])}` };
  }
  const [, bracketed, plain = "", port = ""] = host;
  const isAddress = bracketed !== undefined || isIP(plain) !== 0;
  const parsed = isAddress ? parseIpAddress(bracketed ?? plain) : parseDnsName(plain);
  if ("reason" in parsed) return { reason: `in its host, ${parsed.reason}` };
  if (parsed.value.startsWith("*")) return { reason: "a URI has no wildcard" };
  const shown = bracketed === undefined ? parsed.value : `[${parsed.value}]`;
  return { value: `${scheme.toLowerCase()}://${shown}${port}${rest}` };
}
