import { isIP } from "node:net";

/** A valid host and optional port of a Host field or `:authority`. */
export interface Authority {
  /** `host[:port]` in lower case. */
  readonly authority: string;
  /** Host without port, IPv6 addresses without brackets. */
  readonly host: string;
}

const AUTHORITY = /^(?:\[([\da-f:.]+)\]|([\w.~!$&'()*+,;=-]+))(?::(\d{1,5})?)?$/i;

/**
 * Returns the authority that `text` names, or undefined when it is empty or not `host[:port]`.
 * Percent-encoded hosts, user information and IPvFuture are refused: no browser sends them to an HTTP server.
 *
 * @see RFC 3986 section 3.2, RFC 9110 section 7.2
 */
export function parseAuthority(text: string): Authority | undefined {
  const match = AUTHORITY.exec(text);
  if (match === null) return undefined;
  const [, address, name, port] = match;
  if (address !== undefined && isIP(address) !== 6) return undefined;
  if (port !== undefined && Number(port) > 65_535) return undefined;
  return { authority: text.toLowerCase(), host: (address ?? name ?? "").toLowerCase() };
}
