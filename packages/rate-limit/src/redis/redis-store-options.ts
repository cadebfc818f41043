import { quote, requireFunction, requireInteger, requireKnownKeys } from "../options.ts";
import type { RedisClient } from "./ioredis-adapter.ts";

/** What an operator may want to read or count. */
export type RedisStoreEvent =
  | {
      /** A server failed several times in a row and is left alone for a while. */
      readonly kind: "breaker-opened";
      readonly node: string;
      readonly error: unknown;
    }
  | { readonly kind: "breaker-closed"; readonly node: string }
  | {
      /** A connection could not be made, or broke. Told once until something answers again. */
      readonly kind: "connection-failed";
      readonly error: Error;
    };

/** Options of `RedisStore`. Exactly one of `url` and `client` is needed. */
export interface RedisStoreOptions {
  /**
   * `redis://user:password@host:6379/0` for one server; for sentinels
   * `redis+sentinel://host:26379,host:26379/master-name/0`; for a cluster
   * `redis+cluster://host:6379,host:6379`. `rediss` in place of `redis` for TLS.
   */
  readonly url?: string;
  /**
   * A client of ioredis, `Redis` or `Cluster`. Its settings are taken over for a connection of the
   * store's own: one that queues or resends commands would charge late, or twice.
   */
  readonly client?: RedisClient;
  /**
   * What the names of all entries begin with. 1 to 64 of `A-Z a-z 0-9 _ . : / @ -`.
   *
   * @default "rl"
   */
  readonly prefix?: string;
  /**
   * Longest wait for an answer. Milliseconds, integer from 1 to 60,000.
   *
   * @default 100
   */
  readonly deadlineMs?: number;
  /**
   * Failures in a row after which a server is left alone. Integer from 1 to 1,000.
   *
   * @default 3
   */
  readonly breakerFailures?: number;
  /**
   * How long it is left alone until one call tries it again. Milliseconds, integer from 10 to
   * 60,000.
   *
   * @default 500
   */
  readonly breakerRetryMs?: number;
  /**
   * Keys known to be limited that are refused without asking. Integer from 0 to 1,000,000; each
   * takes about 200 bytes.
   *
   * @default 65536
   */
  readonly blockCacheKeys?: number;
  /**
   * How long such a key is refused at most, after another process has given something back to it.
   * Milliseconds, integer from 1 to 60,000.
   *
   * @default 1000
   */
  readonly blockCacheMs?: number;
  /**
   * Requests that one call pays for, while a key is below half its capacity: the following ones of
   * the same key need no call. Integer from 1 to 1,000; 1 makes every request ask.
   *
   * Never admits more than the limit. Requests may be refused early, by up to this number for each
   * process that holds unused ones.
   *
   * @default 1
   */
  readonly leasePermits?: number;
  /**
   * Returns the time in milliseconds, in place of that of Redis. Only a test that must not wait has
   * a reason to give it: all processes would have to agree on it.
   *
   * @default the clock of the Redis server
   */
  readonly clock?: () => number;
  /** Told of failures. Must not throw. */
  readonly onEvent?: (event: RedisStoreEvent) => void;
}

const REDIS_STORE_KEYS = {
  url: true,
  client: true,
  prefix: true,
  deadlineMs: true,
  breakerFailures: true,
  breakerRetryMs: true,
  blockCacheKeys: true,
  blockCacheMs: true,
  leasePermits: true,
  clock: true,
  onEvent: true,
} satisfies Record<keyof RedisStoreOptions, true>;

/** The options, complete. */
export interface RedisStoreSettings {
  readonly target: string | RedisClient;
  readonly prefix: string;
  readonly deadlineMs: number;
  readonly breaker: { readonly failures: number; readonly retryAfterMs: number };
  readonly blockCacheKeys: number;
  readonly blockCacheMs: number;
  readonly leasePermits: number;
  /** undefined: that of Redis. */
  readonly clock: (() => number) | undefined;
  readonly onEvent: (event: RedisStoreEvent) => void;
}

/**
 * @throws {TypeError} If an option is unknown or has the wrong type.
 * @throws {RangeError} If a number is out of range.
 */
export function parseRedisStoreOptions(options: RedisStoreOptions): RedisStoreSettings {
  requireKnownKeys("Redis store", options, REDIS_STORE_KEYS);
  requireFunction("clock", options.clock);
  requireFunction("onEvent", options.onEvent);
  return {
    target: requireTarget(options),
    prefix: requirePrefix(options.prefix ?? "rl"),
    deadlineMs: requireInteger("deadlineMs", options.deadlineMs ?? 100, 1, 60_000),
    breaker: {
      failures: requireInteger("breakerFailures", options.breakerFailures ?? 3, 1, 1000),
      retryAfterMs: requireInteger("breakerRetryMs", options.breakerRetryMs ?? 500, 10, 60_000),
    },
    blockCacheKeys: requireInteger(
      "blockCacheKeys",
      options.blockCacheKeys ?? 65_536,
      0,
      1_000_000,
    ),
    blockCacheMs: requireInteger("blockCacheMs", options.blockCacheMs ?? 1000, 1, 60_000),
    leasePermits: requireInteger("leasePermits", options.leasePermits ?? 1, 1, 1000),
    clock: options.clock,
    onEvent: options.onEvent ?? (() => undefined),
  };
}

function requireTarget({ url, client }: RedisStoreOptions): string | RedisClient {
  if ((url === undefined) === (client === undefined)) {
    throw new TypeError('Redis store needs exactly one of "url" and "client"');
  }
  if (url !== undefined && typeof url !== "string") {
    throw new TypeError(`"url" must be a string, got a value of type ${typeof url}`);
  }
  return url ?? client!;
}

function requirePrefix(prefix: unknown): string {
  if (typeof prefix !== "string") {
    throw new TypeError(`"prefix" must be a string, got ${quote(prefix)}`);
  }
  if (!/^[\w.:/@-]{1,64}$/.test(prefix)) {
    throw new RangeError(
      `"prefix" must be 1 to 64 letters, digits or characters of _.:/@-, got ${quote(prefix)}`,
    );
  }
  return prefix;
}
