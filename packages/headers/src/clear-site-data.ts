import { echo, oneOf } from "./option-checks.ts";
import { isSecure } from "./secure-connection.ts";
import type { SecurityHeadersMiddleware } from "./security-headers.ts";
import { stringItem } from "./structured-field.ts";

const TYPES = [
  "cache",
  "clientHints",
  "cookies",
  "executionContexts",
  "prefetchCache",
  "prerenderCache",
  "storage",
  "*",
] as const;

/** What browsers can be told to forget of an origin; `"*"` is everything. */
export type SiteDataType = (typeof TYPES)[number];

/**
 * Returns a middleware for the route that logs out: it tells browsers to forget what the origin left
 * with them. `"cookies"` goes for the whole site, all its subdomains. Sent over TLS only, browsers
 * ignore it elsewhere. `"cache"` can take seconds in Chromium.
 *
 * @default ["cookies", "storage", "cache"]
 * @throws {TypeError} If a type is unknown, or none is given.
 * @see Clear Site Data section 3.1
 */
export function clearSiteData(
  types: readonly SiteDataType[] = ["cookies", "storage", "cache"],
): SecurityHeadersMiddleware {
  if (!Array.isArray(types) || types.length === 0) {
    throw new TypeError(`clearSiteData needs a list of types, got ${echo(types)}`);
  }
  const value = types.map((type) => stringItem(oneOf("clearSiteData", type, TYPES))).join(", ");
  return function clearSiteDataMiddleware(request, response, next) {
    if (isSecure(request) && !response.headersSent) response.setHeader("clear-site-data", value);
    next();
  };
}
