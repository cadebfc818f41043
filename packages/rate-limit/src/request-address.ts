import { clientAddress } from "./client-address.ts";
import { quote } from "./options.ts";
import type { RateLimitedRequest } from "./rate-limit-options.ts";
import { trustedProxies } from "./trusted-proxies.ts";

/** The header field in which proxies name their client. */
export type ForwardedHeader = "x-forwarded-for" | "forwarded";

/** Where addresses of requests come from, as `rateLimit` is told. */
interface RequestAddressOptions {
  readonly trustedProxies?: readonly string[];
  readonly forwardedHeader?: ForwardedHeader;
}

/** Returns the function that finds the client's address in a request. */
export function requestAddress(
  options: RequestAddressOptions,
): (request: RateLimitedRequest) => string {
  const trusted = trustedProxies(options.trustedProxies ?? []);
  const header = requireForwardedHeader(options.forwardedHeader ?? "x-forwarded-for");
  const claim = header === "forwarded" ? "forwarded" : "forwardedFor";
  return function addressOf(request) {
    const { remoteAddress } = request.socket;
    const field = request.headers[header];
    const list = Array.isArray(field) ? field.join(",") : field;
    return clientAddress({ remoteAddress, [claim]: list }, { trustedProxies: trusted });
  };
}

function requireForwardedHeader(header: unknown): ForwardedHeader {
  if (header === "x-forwarded-for" || header === "forwarded") return header;
  throw new TypeError(
    `"forwardedHeader" must be "x-forwarded-for" or "forwarded", got ${quote(header)}`,
  );
}
