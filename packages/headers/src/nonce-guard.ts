import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { isNonceRead, watchNonce } from "./nonce.ts";
import { optionRecord } from "./option-checks.ts";
import { beforeHead } from "./response-head.ts";
import type { SecurityHeadersMiddleware } from "./security-headers.ts";

/**
 * What the guard had to change. `"storing-refused"`: a page with a nonce was about to let caches keep
 * it. `"policy-withheld"`: a 304 was about to give a stored page a policy with another nonce.
 */
export interface NonceGuardEvent {
  readonly kind: "storing-refused" | "policy-withheld";
  /** Path of the request, without its query. */
  readonly path: string;
  /** The Cache-Control that the response was about to have. */
  readonly cacheControl: string | undefined;
}

/** Options of `nonceGuard()`. */
export interface NonceGuardOptions {
  /** Told of every change that shows a mistake of the application. Must not throw. */
  readonly onEvent?: (event: NonceGuardEvent) => void;
}

const KNOWN_OPTIONS = { onEvent: true } satisfies Record<keyof NonceGuardOptions, true>;

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

const VALIDATORS = ["etag", "last-modified"] as const;
const POLICIES = ["content-security-policy", "content-security-policy-report-only"] as const;

/**
 * Returns a middleware, to be mounted behind `securityHeaders()`, that keeps pages with a nonce out
 * of caches: a stored page meets another header at its next reader, and its scripts are blocked.
 *
 * - A response whose nonce was read, by `cspNonce(response)` or from `res.locals`, gets
 *   `Cache-Control: no-store` and no ETag or Last-Modified. Rendering a template reads all locals.
 * - A 304 gets no policy with a nonce: the browser goes on with the stored page's own.
 *
 * Responses that never read their nonce may be cached as they ask to be.
 *
 * @throws {TypeError} If an option is unknown, or `onEvent` no function.
 */
export function nonceGuard(options: NonceGuardOptions = {}): SecurityHeadersMiddleware {
  const onEvent = eventListener(
    optionRecord("nonceGuard options", options, KNOWN_OPTIONS).get("onEvent"),
  );
  return function nonceGuardMiddleware(request, response, next) {
    watchNonce(response);
    beforeHead(response, (status) => {
      if (status === 304) withholdPolicy(request, response, onEvent);
      else if (isNonceRead(response)) refuseStoring(request, response, onEvent);
    });
    next();
  };
}

function eventListener(onEvent: unknown): (event: NonceGuardEvent) => void {
  if (onEvent === undefined) return () => undefined;
  if (typeof onEvent !== "function") throw new TypeError("onEvent must be a function");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a function takes cannot be asked
  return onEvent as (event: NonceGuardEvent) => void;
}

function refuseStoring(
  request: Request,
  response: Response,
  onEvent: (event: NonceGuardEvent) => void,
): void {
  for (const name of VALIDATORS) response.removeHeader(name);
  const cacheControl = headerText(response, "cache-control");
  if (/\bno-store\b/i.test(cacheControl ?? "")) return;
  response.setHeader("cache-control", "no-store");
  response.removeHeader("expires");
  if (cacheControl === undefined) return;
  onEvent({ kind: "storing-refused", path: pathOf(request), cacheControl });
}

function withholdPolicy(
  request: Request,
  response: Response,
  onEvent: (event: NonceGuardEvent) => void,
): void {
  let isWithheld = false;
  for (const name of POLICIES) {
    if (!headerText(response, name)?.includes("'nonce-")) continue;
    response.removeHeader(name);
    isWithheld = true;
  }
  if (!isWithheld || !isNonceRead(response)) return;
  const cacheControl = headerText(response, "cache-control");
  onEvent({ kind: "policy-withheld", path: pathOf(request), cacheControl });
}

function headerText(response: Response, name: string): string | undefined {
  const value = response.getHeader(name);
  return value === undefined ? undefined : String(value);
}

function pathOf(request: Request): string {
  return (request.url ?? "").split("?", 1)[0] ?? "";
}
