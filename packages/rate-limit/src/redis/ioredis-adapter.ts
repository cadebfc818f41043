import { Cluster, Redis } from "ioredis";
import type { ClusterOptions, RedisOptions } from "ioredis";
import { quote } from "../options.ts";
import type { Script } from "./gcra-script.ts";
import type { RedisConnection } from "./redis-connection.ts";
import { parseRedisUrl } from "./redis-location.ts";
import type { RedisLocation } from "./redis-location.ts";

/** A client of ioredis (`Redis` or `Cluster`). Its settings are taken over, its connection is not. */
export interface RedisClient {
  readonly status: string;
  duplicate(...settings: never[]): unknown;
}

const MAX_RETRY_DELAY_MS = 250;
const CONNECT_TIMEOUT_MS = 1000;
// A stopped server never answers our FIN.
const DISCONNECT_TIMEOUT_MS = 20;

const retryStrategy = (attempt: number): number => Math.min(attempt * 25, MAX_RETRY_DELAY_MS);

/** Nothing waits for a connection, and nothing that may have been executed is sent again. */
const COMMON_SETTINGS = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  enableAutoPipelining: false,
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  maxLoadingRetryTime: CONNECT_TIMEOUT_MS,
  keyPrefix: "",
  stringNumbers: false,
  readOnly: false,
  lazyConnect: false,
  reconnectOnError: null,
  retryStrategy,
} satisfies RedisOptions;

const CLUSTER_SETTINGS = {
  enableOfflineQueue: false,
  enableAutoPipelining: false,
  keyPrefix: "",
  lazyConnect: false,
  scaleReads: "master",
  // A connection that broke may have delivered its commands: they must not be sent again.
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  retryDelayOnTryAgain: 10,
  maxRedirections: 5,
  slotsRefreshInterval: 5000,
  slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
  clusterRetryStrategy: retryStrategy,
} satisfies ClusterOptions;

/**
 * Opens a connection of the store's own to where `target` points.
 *
 * @throws {SyntaxError} If `target` is a malformed URL.
 * @throws {TypeError} If it is neither a URL nor a client of ioredis.
 */
export function openRedisConnection(
  target: string | RedisClient,
  onError: (error: Error) => void,
): RedisConnection {
  const client = typeof target === "string" ? connect(parseRedisUrl(target)) : duplicate(target);
  client.on("error", onError);
  leaveWhenStuck(client);
  if (!isCluster(client)) return singleConnection(client);
  client.on("node error", onError);
  return clusterConnection(client);
}

/**
 * A stopped server still accepts in its kernel, and one that loads its data may say for how long:
 * ioredis would wait for either without a time limit of ours.
 */
function leaveWhenStuck(client: Redis | Cluster): void {
  let timer: NodeJS.Timeout | undefined;
  client.on("connect", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (client.status === "connect") client.disconnect(true);
    }, CONNECT_TIMEOUT_MS).unref();
  });
}

function singleConnection(redis: Redis): RedisConnection {
  return {
    isCluster: false,
    isReady: () => redis.status === "ready",
    nodeOf: () => "redis",
    run: async (script, keys, args) => runOn(redis, script, keys, args),
    reconnect() {
      if (redis.status === "ready") redis.disconnect(true);
    },
    close() {
      redis.disconnect();
    },
  };
}

function clusterConnection(cluster: Cluster): RedisConnection {
  return {
    isCluster: true,
    isReady: () => cluster.status === "ready",
    nodeOf: (slot) => cluster.slots[slot]?.[0] ?? "cluster",
    run: async (script, keys, args) => runOn(cluster, script, keys, args),
    reconnect() {
      if (cluster.status === "ready") cluster.refreshSlotsCache();
    },
    close() {
      cluster.disconnect();
    },
  };
}

async function runOn(
  client: Redis | Cluster,
  { source, sha1 }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.evalsha(sha1, keys.length, ...keys, ...args);
  } catch (error) {
    // The one reply that says "not executed, but would be": after SCRIPT FLUSH or a restart.
    if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
    return client.eval(source, keys.length, ...keys, ...args);
  }
}

function connect(location: RedisLocation): Redis | Cluster {
  const { topology, nodes, username, password, database, masterName } = location;
  const access = {
    ...COMMON_SETTINGS,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(location.isTls && { tls: {} }),
  };
  if (topology === "cluster") {
    return new Cluster([...nodes], { ...CLUSTER_SETTINGS, redisOptions: access });
  }
  if (topology === "sentinel") {
    return new Redis({
      ...access,
      sentinels: [...nodes],
      name: masterName,
      db: database,
      sentinelRetryStrategy: retryStrategy,
      enableTLSForSentinelMode: location.isTls,
    });
  }
  return new Redis({ ...access, ...nodes[0]!, db: database });
}

/** By `duplicate` of the client itself, so that a client of another copy of ioredis will do. */
function duplicate(client: unknown): Redis | Cluster {
  if (!isClient(client)) {
    throw new TypeError(`"client" must be a client of ioredis, got ${quote(typeof client)}`);
  }
  if (!isCluster(client)) return client.duplicate({ ...COMMON_SETTINGS });
  return client.duplicate([], { ...CLUSTER_SETTINGS, redisOptions: COMMON_SETTINGS });
}

function isClient(client: unknown): client is Redis | Cluster {
  return typeof client === "object" && client !== null && "duplicate" in client;
}

function isCluster(client: Redis | Cluster): client is Cluster {
  return "isCluster" in client && client.isCluster;
}
