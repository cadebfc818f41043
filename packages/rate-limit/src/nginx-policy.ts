import { quote, requireBoolean, requireInteger, requireKnownKeys } from "./options.ts";
import type { RateLimitPolicy } from "./policy.ts";

const MAX_RATE = 1_000_000;

/** The parameters of nginx's `limit_req_zone` and `limit_req`. */
export interface NginxLimitReq {
  /** Requests per second or minute, as nginx writes them: `"10r/s"`, `"30r/m"`. */
  readonly rate: string;
  /**
   * Requests beyond the rate that are admitted. Integer from 0 to 1,000,000.
   *
   * @default 0
   */
  readonly burst?: number;
  /**
   * Requests beyond the rate that are admitted at once; the rest of the burst waits. Integer from 0
   * to `burst`.
   *
   * @default 0
   */
  readonly delay?: number;
  /**
   * Whether the whole burst is admitted at once.
   *
   * @default false
   */
  readonly nodelay?: boolean;
}

const NGINX_KEYS = { rate: true, burst: true, delay: true, nodelay: true } satisfies Record<
  keyof NginxLimitReq,
  true
>;

/**
 * Returns the policy that admits what nginx admits, and delays what it delays.
 *
 * nginx counts thousandths of a request in whole milliseconds: a decision may differ when it hangs on
 * less than 2 ms. It also cuts a rate per minute to thousandths of a request per second, which this
 * does too: `"1r/m"` is one request in 62.5 seconds.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type, or `delay` and `nodelay` are
 * both given.
 * @throws {RangeError} If a number is out of range.
 * @throws {SyntaxError} If `rate` is none.
 * @see https://nginx.org/en/docs/http/ngx_http_limit_req_module.html
 */
export function nginxPolicy(limitReq: NginxLimitReq): RateLimitPolicy {
  requireKnownKeys("limit_req", limitReq, NGINX_KEYS);
  const burst = requireInteger("burst", limitReq.burst ?? 0, 0, 1_000_000);
  const delay = requireInteger("delay", limitReq.delay ?? 0, 0, burst);
  const nodelay = requireBoolean("nodelay", limitReq.nodelay ?? false);
  if (nodelay && limitReq.delay !== undefined) {
    throw new TypeError('"delay" and "nodelay" exclude each other, got both');
  }
  // In nginx the first request of a burst is no excess; here it is part of the burst.
  return {
    ...parseNginxRate(limitReq.rate),
    burst: burst + 1,
    ...(!nodelay && { delayAfter: delay + 1 }),
  };
}

function parseNginxRate(rate: unknown): { limit: number; windowMs: number } {
  const match = typeof rate === "string" ? /^(\d{1,7})r\/([sm])$/.exec(rate) : null;
  if (match === null) {
    throw new SyntaxError(`Cannot parse rate ${quote(rate)}: expected "10r/s" or "30r/m"`);
  }
  const requests = requireInteger("rate", Number(match[1]), 1, MAX_RATE);
  if (match[2] === "s") return { limit: requests, windowMs: 1000 };
  return { limit: Math.floor((requests * 1000) / 60), windowMs: 1_000_000 };
}
