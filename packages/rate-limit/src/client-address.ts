import { UNKNOWN_ADDRESS } from "./address-key.ts";
import { forwardedNodes } from "./forwarded.ts";
import { canonicalIpAddress } from "./ip-address.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

/** Where a request says it comes from. */
export interface AddressedRequest {
  /** Address of the peer of the connection; undefined once the socket is gone. */
  readonly remoteAddress: string | undefined;
  /** The X-Forwarded-For field, all its lines joined with commas. */
  readonly forwardedFor?: string | undefined;
  /** The Forwarded field (RFC 7239), all its lines joined with commas. */
  readonly forwarded?: string | undefined;
}

/** Options of `clientAddress`. */
export interface ClientAddressOptions {
  /** The proxies whose fields are believed. */
  readonly trustedProxies: TrustedProxies;
}

/**
 * Returns the address of the client, in canonical spelling and with IPv4-mapped addresses unwrapped.
 *
 * A peer that is no trusted proxy is the client, whatever its fields say. Behind trusted proxies it
 * is the rightmost address that is not one of them; the walk stops at the last good address when
 * an entry is no address (`unknown`, `_hidden`, rubbish). When all are trusted, it is the leftmost.
 *
 * Give the one field that the proxy writes. A field that the proxy passes on unread is the client's
 * own word; so when both are given and name different addresses, the answer is the peer.
 *
 * `"unknown"` when there is no peer address: the socket was destroyed, or is a Unix socket.
 *
 * @see RFC 7239 section 5.2
 */
export function clientAddress(request: AddressedRequest, options: ClientAddressOptions): string {
  const { trustedProxies } = options;
  const peer = canonicalIpAddress(request.remoteAddress ?? "");
  if (peer === undefined) return UNKNOWN_ADDRESS;
  const { forwardedFor, forwarded } = request;
  if (forwardedFor === undefined && forwarded === undefined) return peer;
  if (!trustedProxies.includes(peer)) return peer;

  const claims: string[] = [];
  if (forwardedFor !== undefined) {
    claims.push(rightmostUntrusted(peer, entriesFromRight(forwardedFor), trustedProxies));
  }
  if (forwarded !== undefined) {
    const nodes = forwardedNodes(forwarded) ?? [];
    claims.push(rightmostUntrusted(peer, nodes.toReversed(), trustedProxies));
  }
  return claims.every((claim) => claim === claims[0]) ? claims[0]! : peer;
}

function rightmostUntrusted(
  peer: string,
  nodes: Iterable<string | undefined>,
  trusted: TrustedProxies,
): string {
  let nearest = peer;
  for (const node of nodes) {
    const address = canonicalIpAddress(nodeName(node ?? ""));
    if (address === undefined) return nearest;
    nearest = address;
    if (!trusted.includes(address)) return nearest;
  }
  return nearest;
}

/** Yields the list entries last first, so that a field of 10,000 costs what its trusted end costs. */
function* entriesFromRight(list: string): Generator<string> {
  let end = list.length;
  while (end >= 0) {
    const comma = end === 0 ? -1 : list.lastIndexOf(",", end - 1);
    yield list.slice(comma + 1, end).trim();
    end = comma;
  }
}

/** Returns a node without its port and brackets: `192.0.2.1:80`, `[2001:db8::1]:80`. */
function nodeName(node: string): string {
  const match = /^(?:\[([\da-fA-F:.]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/.exec(node);
  return match?.[1] ?? match?.[2] ?? node;
}
