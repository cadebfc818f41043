import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { JointDecision } from "./consume-all.ts";
import type { LimitedDecision, SharedDecision, UnavailableDecision } from "./decision.ts";
import type { Eventually } from "./eventually.ts";
import type { LimiterOptions } from "./limiter.ts";
import type { RateLimitPolicy } from "./policy.ts";
import type { RateLimitHeaderForm } from "./rate-limit-headers.ts";
import type { ForwardedHeader } from "./request-address.ts";
import type { FallbackOptions, SharedLimiterOptions } from "./shared-limiter.ts";
import type { SharedStore } from "./shared-store.ts";
import type { Store } from "./store.ts";

/** A request of node:http, node:http2 or Express; `rateLimit` is set once it has been decided about. */
export type RateLimitedRequest = (IncomingMessage | Http2ServerRequest) & {
  rateLimit?: JointDecision<SharedDecision>;
};

/** A response of node:http, node:http2 or Express. */
export type RateLimitedResponse = ServerResponse | Http2ServerResponse;

/** A decision that stops a request. */
export type RefusingDecision = JointDecision<
  LimitedDecision | (UnavailableDecision & { readonly isAdmitted: false })
>;

/** A function of the request, whose answer may be a promise. */
export type OfRequest<T> = (
  request: RateLimitedRequest,
  response: RateLimitedResponse,
) => Eventually<T>;

/** A policy that `rateLimit` applies to requests. */
export interface RequestPolicy extends Omit<RateLimitPolicy, "limit" | "windowMs"> {
  /**
   * Requests earned per window: integer from 0 to 1,000,000,000, or a function of the request that
   * returns one. 0 refuses every request.
   */
  readonly limit: number | OfRequest<number>;
  /**
   * Length of the window: milliseconds, integer from 1 to 31,622,400,000 (366 days), or a function
   * of the request that returns them.
   */
  readonly windowMs: number | OfRequest<number>;
  /**
   * Requests that one request counts for: integer >= 0, or a function of the request that returns
   * one.
   *
   * @default 1
   */
  readonly cost?: number | OfRequest<number>;
  /**
   * Returns the key whose budget a request uses, instead of the client's address: a string. Use
   * `addressKey` for addresses in it, and `compositeKey` to join parts.
   */
  keyGenerator?(request: RateLimitedRequest, response: RateLimitedResponse): Eventually<string>;
  /** Returns true for a request that is not to be counted. */
  skip?(request: RateLimitedRequest, response: RateLimitedResponse): Eventually<boolean>;
  /**
   * Counts and reports, but refuses nothing, delays nothing and sets no field.
   *
   * @default false
   */
  readonly dryRun?: boolean;
}

/** The options of `rateLimit` that all its policies share. */
export interface RequestLimitOptions extends Pick<LimiterOptions, "clock"> {
  /**
   * Where debts are kept: in this process, or in a store that processes share (`RedisStore`), of
   * which the algorithm must be `"gcra"`. Closed by whoever made it.
   *
   * @default a new MemoryStore of 131,072 slots
   */
  readonly store?: Store | SharedStore;
  /**
   * What to decide when a shared store does not answer, for all policies or by policy name:
   * `"fallback"`, `"fail-closed"` or `"fail-open"`, as of `createSharedLimiter`.
   *
   * @default "fallback"; "fail-open" with `passOnStoreError`
   */
  readonly onUnavailable?: NonNullable<SharedLimiterOptions["onUnavailable"]>;
  /** The limiter that stands in for a shared store, as of `createSharedLimiter`. */
  readonly fallback?: FallbackOptions;
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
   * How many times its limit all clients of one IPv6 network may use together, by prefix length: for
   * instance `{ 56: 4, 48: 16 }`. Integers from 1 to 1,000,000. Charged with every policy that counts
   * by address. Who owns a /48 has 65,536 clients of 64 bits; so has a mobile carrier.
   *
   * @default {} (no such limit)
   */
  readonly ipv6Budgets?: Readonly<Partial<Record<48 | 56, number>>>;
  /**
   * Clients that are never counted: networks, addresses and keys.
   *
   * @default []
   */
  readonly allow?: readonly string[];
  /**
   * Clients that are always refused: networks, addresses and keys. Comes before `allow`.
   *
   * @default []
   */
  readonly deny?: readonly string[];
  /**
   * Requests of one key that may be in progress at once. Integer from 0 to 1,000,000. A request ends
   * when its response is closed. By the key of the first policy.
   *
   * @default none
   */
  readonly concurrency?: number;
  /**
   * Requests that may wait at once for the end of a delay (`delayAfter`); those beyond are refused.
   * Integer from 1 to 1,000,000.
   *
   * @default 1000
   */
  readonly maxWaiting?: number;
  /**
   * Status of a refused request. Integer from 400 to 599.
   *
   * @default 429
   */
  readonly statusCode?: number;
  /**
   * Body of a refused request instead of the problem details: text, an object to send as JSON, or a
   * function of the request that returns one of them.
   */
  readonly message?: string | object | OfRequest<string | object>;
  /**
   * The fields that tell clients about their limits; an empty list for none. Retry-After is set
   * all the same.
   *
   * @default "draft-11"
   */
  readonly headers?: RateLimitHeaderForm | readonly RateLimitHeaderForm[];
  /**
   * Gives requests back whose response `requestWasSuccessful`, once it is closed.
   *
   * @default false
   */
  readonly skipSuccessfulRequests?: boolean;
  /**
   * Gives requests back whose response was not successful or was not finished, once it is closed.
   *
   * @default false
   */
  readonly skipFailedRequests?: boolean;
  /**
   * Whether to let requests pass when the store throws or gives no answer, instead of the error
   * going to `next`.
   *
   * @default false
   */
  readonly passOnStoreError?: boolean;
  /**
   * Tells whether a request was successful, once its response is closed.
   *
   * @default a finished response with a status below 400
   */
  requestWasSuccessful?(
    request: RateLimitedRequest,
    response: RateLimitedResponse,
  ): Eventually<boolean>;
  /**
   * Returns what a request did cost in the end, once its response is closed: integer >= 0. The
   * difference to what it was charged is charged, as far as the burst goes, or given back.
   */
  finalCost?(request: RateLimitedRequest, response: RateLimitedResponse): Eventually<number>;
  /**
   * Answers a refused request instead of the problem details. The fields are set already; the status
   * is not.
   */
  handler?(
    request: RateLimitedRequest,
    response: RateLimitedResponse,
    next: (error?: unknown) => void,
    decision: RefusingDecision,
  ): unknown;
  /** Is told what happens to requests, at once and without being waited for. */
  onEvent?(event: RateLimitEvent): void;
}

/** Options of `rateLimit` for one policy. */
export interface RateLimitOptions extends RequestPolicy, RequestLimitOptions {}

/** Options of `rateLimit` for several policies, which are charged all or not at all. */
export interface RateLimitPoliciesOptions extends RequestLimitOptions {
  /** At least one; their names must differ. */
  readonly policies: readonly RequestPolicy[];
  /** The key of policies that have no `keyGenerator` of their own. */
  keyGenerator?(request: RateLimitedRequest, response: RateLimitedResponse): Eventually<string>;
  /** Returns true for a request that no policy is to count. */
  skip?(request: RateLimitedRequest, response: RateLimitedResponse): Eventually<boolean>;
}

/** What `rateLimit` reports of a request. Keys are those of the client: mind what a log may hold. */
export type RateLimitEvent =
  | {
      readonly kind: "limited" | "dry-run-limited";
      readonly request: RateLimitedRequest;
      /** The policies that refused; `"deny"` and `"concurrency"` for those lists and limits. */
      readonly policyNames: readonly string[];
      readonly key: string;
      readonly retryAfterMs: number;
    }
  | {
      readonly kind: "delayed";
      readonly request: RateLimitedRequest;
      readonly key: string;
      readonly delayMs: number;
    }
  | {
      /** The store threw or gave no answer. */
      readonly kind: "store-failed";
      readonly request: RateLimitedRequest;
      readonly error: unknown;
    }
  | {
      /** `finalCost` or `requestWasSuccessful` failed: the request stays charged as it was. */
      readonly kind: "settlement-failed";
      readonly request: RateLimitedRequest;
      readonly error: unknown;
    };
