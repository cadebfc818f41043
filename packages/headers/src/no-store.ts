import type { SecurityHeadersMiddleware } from "./security-headers.ts";

/**
 * Returns a middleware for pages that show private facts: no cache keeps them, and the back button
 * after a logout asks the server again. A route that sets Cache-Control itself has the last word.
 *
 * @see RFC 9111 section 5.2.2.5
 */
export function noStore(): SecurityHeadersMiddleware {
  return function noStoreMiddleware(_request, response, next) {
    if (!response.headersSent) response.setHeader("cache-control", "no-store");
    next();
  };
}
