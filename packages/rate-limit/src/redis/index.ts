export type { BreakerState } from "../circuit-breaker.ts";
export type { RedisClient } from "./ioredis-adapter.ts";
export { RedisStore } from "./redis-store.ts";
export type { RedisStoreEvent, RedisStoreOptions } from "./redis-store-options.ts";
