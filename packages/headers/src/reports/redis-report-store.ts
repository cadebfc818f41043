import { HeadersError } from "../errors.ts";
import { echo } from "../option-checks.ts";
import { objectOption } from "./option-values.ts";
import { foldEntries, MAX_DAYS, MAX_REPORTERS } from "./report-entry.ts";
import type { ReportStore, ReportStoreOptions } from "./report-store.ts";
import { parseStoreOptions } from "./store-options.ts";
import { parseStoredEntry } from "./stored-entry.ts";

/** The commands of a Redis client that the store calls; a connected client of ioredis has them. */
export interface RedisCommands {
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
  hvals(key: string): Promise<string[]>;
}

/** Options of `redisReportStore()`. */
export interface RedisReportStoreOptions extends ReportStoreOptions {
  /**
   * Start of the two keys, 1 to 64 characters of `A-Z a-z 0-9 _.:/@-`.
   *
   * @default "hauberk:reports"
   */
  readonly prefix?: string;
}

/**
 * Folds entries into those there. KEYS: the hash of entries by id, the ids by age.
 * ARGV: the greatest number of entries, then id and entry in turn.
 * An entry that several clients reported counts as 100 days younger, so that it goes last.
 */
const FOLD_SCRIPT = `
local entries, ages = KEYS[1], KEYS[2]
local HUNDRED_DAYS_MS = 8640000000

local function mergeDays(old, new)
  for day, count in pairs(old) do new[day] = (new[day] or 0) + count end
  local names = {}
  for day in pairs(new) do names[#names + 1] = day end
  table.sort(names)
  for index = 1, #names - ${MAX_DAYS} do new[names[index]] = nil end
end

local function mergeReporters(old, new)
  local known, merged = {}, {}
  for _, list in ipairs({ old, new }) do
    for _, reporter in ipairs(list) do
      if not known[reporter] and #merged < ${MAX_REPORTERS} then
        known[reporter] = true
        merged[#merged + 1] = reporter
      end
    end
  end
  return merged
end

for index = 2, #ARGV, 2 do
  local id, entry = ARGV[index], cjson.decode(ARGV[index + 1])
  local stored = redis.call('HGET', entries, id)
  if stored then
    local old = cjson.decode(stored)
    entry.count = old.count + entry.count
    entry.firstAt = math.min(old.firstAt, entry.firstAt)
    if old.lastAt > entry.lastAt then
      entry.lastAt = old.lastAt
      entry.source = old.source
    end
    mergeDays(old.days, entry.days)
    entry.reporters = mergeReporters(old.reporters, entry.reporters)
  else
    local excess = redis.call('HLEN', entries) + 1 - tonumber(ARGV[1])
    if excess > 0 then
      local oldest = redis.call('ZRANGE', ages, 0, excess - 1)
      for _, old in ipairs(oldest) do
        redis.call('HDEL', entries, old)
        redis.call('ZREM', ages, old)
      end
    end
  end
  local age = entry.lastAt
  if #entry.reporters > 1 then age = age + HUNDRED_DAYS_MS end
  redis.call('HSET', entries, id, cjson.encode(entry))
  redis.call('ZADD', ages, string.format('%.0f', age), id)
end
`;

/**
 * Returns a store in Redis or Valkey, shared by all collectors with the same prefix. Give it a client
 * of your own; closing it remains your part. With a cluster both keys are in one slot.
 *
 * @throws {TypeError | RangeError} If the client lacks a command, or an option is unknown or out of range.
 */
export function redisReportStore(
  client: RedisCommands,
  options: RedisReportStoreOptions = {},
): ReportStore {
  const redis = objectOption<RedisCommands>("client", client, ["eval", "hvals"]);
  const { prefix, ...bounds } = options;
  const { maxEntries } = parseStoreOptions(bounds);
  const name = parsePrefix(prefix ?? "hauberk:reports");
  const keys = [`{${name}}:entries`, `{${name}}:ages`] as const;
  return {
    async add(entries) {
      const folded = [...foldEntries(entries)];
      const words = folded.flatMap(([id, entry]) => [id, JSON.stringify(entry)]);
      await guarded(() =>
        redis.eval(FOLD_SCRIPT, keys.length, ...keys, String(maxEntries), ...words),
      );
    },
    async entries() {
      const texts = await guarded(() => redis.hvals(keys[0]));
      return texts
        .flatMap((text) => parseStoredEntry(text) ?? [])
        .toSorted((a, b) => b.lastAt - a.lastAt);
    },
    close: () => undefined,
  };
}

function parsePrefix(prefix: unknown): string {
  if (typeof prefix !== "string")
    throw new TypeError(`prefix must be a string, got ${echo(prefix)}`);
  if (/^[\w.:/@-]{1,64}$/.test(prefix)) return prefix;
  throw new RangeError(
    `prefix must be 1 to 64 letters, digits or characters of _.:/@-, got ${echo(prefix)}`,
  );
}

async function guarded<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HeadersError("ERR_HEADERS_REPORT_STORE", `Cannot keep reports in Redis: ${reason}`, {
      cause,
    });
  }
}
