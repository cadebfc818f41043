import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { keyOf, requireIpv6Prefix } from "./address-key.ts";
import { clientAddress } from "./client-address.ts";
import type { Decision, LimitedDecision } from "./decision.ts";
import { createLimiter } from "./limiter.ts";
import type { Limiter, LimiterOptions } from "./limiter.ts";
import { quote, requireFunction, requireInteger, requireKnownKeys } from "./options.ts";
import type { RateLimitPolicy } from "./policy.ts";
import { PROBLEM_MEDIA_TYPE, quotaExceededBody } from "./problem-details.ts";
import { rateLimitFields } from "./rate-limit-headers.ts";
import { trustedProxies } from "./trusted-proxies.ts";

/** A request of node:http, node:http2 or Express; `rateLimit` is set once it has been decided about. */
export type RateLimitedRequest = (IncomingMessage | Http2ServerRequest) & { rateLimit?: Decision };

/** A response of node:http, node:http2 or Express. */
export type RateLimitedResponse = ServerResponse | Http2ServerResponse;

/** Connect-style middleware. It never throws: failures go to `next`. */
export type RateLimitMiddleware = (
  request: RateLimitedRequest,
  response: RateLimitedResponse,
  next: (error?: unknown) => void,
) => void;

/** The header field in which proxies name their client. */
export type ForwardedHeader = "x-forwarded-for" | "forwarded";

/** Options of `rateLimit`. */
export interface RateLimitOptions extends RateLimitPolicy, LimiterOptions {
  /**
   * Networks of the proxies directly before this process, as `trustedProxies` takes them.
   *
   * @default [] (the peer of the connection is the client)
   */
  readonly trustedProxies?: readonly string[];
  /**
   * The field that these proxies write. The other one is not read.
   *
   * @default "x-forwarded-for"
   */
  readonly forwardedHeader?: ForwardedHeader;
  /**
   * Leading bits of an IPv6 address that make one client. Integer from 32 to 64.
   *
   * @default 64
   */
  readonly ipv6Prefix?: number;
  /**
   * Status of a refused request. Integer from 400 to 599.
   *
   * @default 429
   */
  readonly statusCode?: number;
  /**
   * Returns the key whose budget a request uses, instead of the client's address. Must return a
   * string at once; use `addressKey` for addresses in it.
   */
  keyGenerator?(request: RateLimitedRequest): string;
  /** Returns true for a request that is not to be counted. */
  skip?(request: RateLimitedRequest): boolean;
  /**
   * Answers a refused request instead of the problem details. The RateLimit and Retry-After fields
   * are set already; the status is not.
   */
  handler?(
    request: RateLimitedRequest,
    response: RateLimitedResponse,
    next: (error?: unknown) => void,
    decision: LimitedDecision,
  ): unknown;
}

const RATE_LIMIT_KEYS = {
  name: true,
  limit: true,
  windowMs: true,
  burst: true,
  store: true,
  clock: true,
  trustedProxies: true,
  forwardedHeader: true,
  ipv6Prefix: true,
  statusCode: true,
  keyGenerator: true,
  skip: true,
  handler: true,
} satisfies Record<keyof RateLimitOptions, true>;

interface Settings {
  readonly limiter: Limiter;
  readonly keyGenerator: (request: RateLimitedRequest) => unknown;
  readonly skip: (request: RateLimitedRequest) => unknown;
  readonly refuse: NonNullable<RateLimitOptions["handler"]>;
}

/**
 * Returns middleware that admits `limit` requests per `windowMs` and client, and answers the others
 * with 429 and problem details.
 *
 * Sets RateLimit-Policy and RateLimit on every response (after those of an earlier rate limit, if
 * any), Retry-After on a refused one, and `request.rateLimit` to the decision. What fails in
 * `keyGenerator`, `skip`, `handler` or the store goes to `next(error)`: the request is not admitted.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type.
 * @throws {RangeError} If a number is out of range.
 */
export function rateLimit(options: RateLimitOptions): RateLimitMiddleware {
  const { limiter, keyGenerator, skip, refuse } = parseOptions(options);

  return function rateLimitMiddleware(request, response, next) {
    let decision: Decision | undefined;
    try {
      decision = decide(request, response);
      if (decision?.kind === "limited") {
        void settled(refuse(request, response, next, decision), next);
        return;
      }
    } catch (error) {
      next(error);
      return;
    }
    next();
  };

  function decide(
    request: RateLimitedRequest,
    response: RateLimitedResponse,
  ): Decision | undefined {
    if (isSkipped(skip(request))) return undefined;
    const decision = limiter.consume(requireKey(keyGenerator(request)));
    request.rateLimit = decision;
    setFields(response, rateLimitFields(limiter.policy, decision));
    return decision;
  }
}

function parseOptions(options: RateLimitOptions): Settings {
  requireKnownKeys("rateLimit", options, RATE_LIMIT_KEYS);
  for (const name of ["keyGenerator", "skip", "handler"] as const) {
    requireFunction(name, options[name]);
  }
  const { limit, windowMs, name, burst, store, clock } = options;
  const limiter = createLimiter(
    {
      limit,
      windowMs,
      ...(name !== undefined && { name }),
      ...(burst !== undefined && { burst }),
    },
    { ...(store !== undefined && { store }), ...(clock !== undefined && { clock }) },
  );
  const statusCode = requireInteger("statusCode", options.statusCode ?? 429, 400, 599);
  const keyGenerator = addressKeyGenerator(options);
  return {
    limiter,
    keyGenerator: options.keyGenerator?.bind(options) ?? keyGenerator,
    skip: options.skip?.bind(options) ?? (() => false),
    refuse: options.handler?.bind(options) ?? problemResponder(limiter.policy, statusCode),
  };
}

function addressKeyGenerator(options: RateLimitOptions): Settings["keyGenerator"] {
  const trusted = trustedProxies(options.trustedProxies ?? []);
  const ipv6Prefix = requireIpv6Prefix(options.ipv6Prefix);
  const header = requireForwardedHeader(options.forwardedHeader ?? "x-forwarded-for");
  const claim = header === "forwarded" ? "forwarded" : "forwardedFor";
  return function addressKeyOf(request) {
    const { remoteAddress } = request.socket;
    const field = request.headers[header];
    const list = Array.isArray(field) ? field.join(",") : field;
    return keyOf(
      clientAddress({ remoteAddress, [claim]: list }, { trustedProxies: trusted }),
      ipv6Prefix,
    );
  };
}

function requireForwardedHeader(header: unknown): ForwardedHeader {
  if (header === "x-forwarded-for" || header === "forwarded") return header;
  throw new TypeError(
    `"forwardedHeader" must be "x-forwarded-for" or "forwarded", got ${quote(header)}`,
  );
}

/** Passes on the failure of an asynchronous handler, which would otherwise end the process. */
async function settled(pending: unknown, next: (error?: unknown) => void): Promise<void> {
  try {
    await pending;
  } catch (error) {
    next(error);
  }
}

function problemResponder(policy: Limiter["policy"], statusCode: number): Settings["refuse"] {
  const body = quotaExceededBody(policy, statusCode);
  return function sendProblem(request, response) {
    response.statusCode = statusCode;
    response.setHeader("content-type", PROBLEM_MEDIA_TYPE);
    response.setHeader("content-length", body.length);
    // RFC 6585 section 4: a 429 MUST NOT be stored by a cache.
    response.setHeader("cache-control", "no-store");
    if (request.method === "HEAD") response.end();
    else response.end(body);
  };
}

function setFields(response: RateLimitedResponse, fields: readonly string[]): void {
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!;
    const value = fields[index + 1]!;
    const earlier = name === "retry-after" ? undefined : response.getHeader(name);
    response.setHeader(name, earlier === undefined ? value : `${String(earlier)}, ${value}`);
  }
}

/** A promise is truthy: read as a yes, an async `skip` would lift the limit for everyone. */
function isSkipped(answer: unknown): boolean {
  if (typeof answer === "boolean") return answer;
  throw new TypeError(`"skip" must return a boolean, got a value of type ${typeof answer}`);
}

function requireKey(key: unknown): string {
  if (typeof key === "string") return key;
  throw new TypeError(`"keyGenerator" must return a string, got a value of type ${typeof key}`);
}
