import type { ServerOptions } from "node:http2";
import { integerOption, requireKnownKeys } from "./options.ts";

/** Limits of an HTTP/2 server; one object serves `http2ServerOptions` and `applyHttp2Limits`. */
export interface Http2Limits {
  /**
   * Requests a client may have open at once. Integer from 1 to 2147483647.
   *
   * @default 100 (Node: 4294967295)
   * @see RFC 9113 section 6.5.2
   */
  readonly maxConcurrentStreams?: number | undefined;
  /**
   * Life of a session without an open request, counted from the end of its last one; pings and
   * half-sent headers do not prolong it. Milliseconds, integer from 50 to 86400000.
   *
   * @default 60000 (Node: for ever)
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * Time in which a session with a request that waits for its client must move at least 1 KiB.
   * A request waits when its response is ready but not taken, or its body is not complete; it does
   * not while the application is thinking. Milliseconds, integer from 50 to 86400000.
   *
   * @default 60000 (Node: for ever)
   */
  readonly stalledTimeoutMs?: number | undefined;
}

export interface Http2LimitSettings {
  readonly maxConcurrentStreams: number;
  readonly idleTimeoutMs: number;
  readonly stalledTimeoutMs: number;
}

const KNOWN_OPTIONS = {
  maxConcurrentStreams: true,
  idleTimeoutMs: true,
  stalledTimeoutMs: true,
} as const satisfies Record<keyof Http2Limits, true>;

const MAX_CONCURRENT_STREAMS = { min: 1, max: 2_147_483_647, default: 100 };
const TIMEOUT_MS = { min: 50, max: 86_400_000, default: 60_000 };

/** Options of newer Node lines; Node 20 ignores them. */
interface StreamResetOptions {
  readonly streamResetBurst: number;
  readonly streamResetRate: number;
}

/**
 * Returns options for `http2.createServer` and `http2.createSecureServer` that bound what one client
 * can hold or ask for. They set no time-out: that is what `applyHttp2Limits` is for.
 *
 * @throws {TypeError | RangeError} If a limit is unknown or out of range.
 */
export function http2ServerOptions(limits: Http2Limits = {}): ServerOptions {
  const { maxConcurrentStreams } = parseHttp2Limits("http2ServerOptions", limits);
  const options: ServerOptions & StreamResetOptions = {
    settings: { maxConcurrentStreams, enablePush: false, maxHeaderListSize: 32_768 },
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    maxOutstandingPings: 10,
    maxSettings: 32,
    unknownProtocolTimeout: 5_000,
    // CVE-2023-44487 (rapid reset): resets a client may send at once, then per second.
    streamResetBurst: 200,
    streamResetRate: 20,
  };
  return options;
}

export function parseHttp2Limits(caller: string, limits: Http2Limits): Http2LimitSettings {
  requireKnownKeys(caller, limits, KNOWN_OPTIONS);
  return {
    maxConcurrentStreams: integerOption(
      `${caller}.maxConcurrentStreams`,
      limits.maxConcurrentStreams,
      MAX_CONCURRENT_STREAMS,
    ),
    idleTimeoutMs: integerOption(`${caller}.idleTimeoutMs`, limits.idleTimeoutMs, TIMEOUT_MS),
    stalledTimeoutMs: integerOption(
      `${caller}.stalledTimeoutMs`,
      limits.stalledTimeoutMs,
      TIMEOUT_MS,
    ),
  };
}
