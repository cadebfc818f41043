import { join } from "node:path";
import {
  isUnchanged,
  loadResource,
  type Resource,
  type ResourceOutcome,
  type ResourceSettings,
} from "./resource.ts";

/** How files are read, and the bounds of those kept in memory. */
export interface ResourceCacheSettings extends ResourceSettings {
  /** All kept contents together, bytes. */
  readonly maxBytes: number;
  /** How long a file may go unchecked while it is asked for, milliseconds. */
  readonly revalidateMs: number;
}

interface Entry {
  readonly resource: Resource;
  readonly bytes: number;
  checkedAt: number;
}

const MAX_ENTRIES = 20_000;

/** Looks files up by their names below the root; a hit is synchronous, a miss or a check is a promise. */
export interface ResourceCache {
  get(segments: readonly string[]): Resource | Promise<ResourceOutcome>;
  /** Forgets what is known of a file, after it was found changed. */
  drop(segments: readonly string[]): void;
}

/** Returns a cache of at most `maxBytes` and 20,000 files that notices changed files within `revalidateMs`. */
export function createResourceCache(settings: ResourceCacheSettings): ResourceCache {
  const entries = new Map<string, Entry>();
  const pending = new Map<string, Promise<ResourceOutcome>>();
  let bytes = 0;

  function remove(key: string): void {
    bytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  }

  function store(key: string, resource: Resource): void {
    remove(key);
    const size = resource.representations.reduce(
      (sum, { content }) => sum + (content?.length ?? 0),
      0,
    );
    entries.set(key, { resource, bytes: size, checkedAt: performance.now() });
    bytes += size;
    for (const oldest of entries.keys()) {
      if (bytes <= settings.maxBytes && entries.size <= MAX_ENTRIES) break;
      remove(oldest);
    }
  }

  async function refresh(key: string, entry: Entry | undefined): Promise<ResourceOutcome> {
    const checkedAt = performance.now();
    if (entry !== undefined && (await isUnchanged(entry.resource))) {
      if (entries.get(key) === entry) {
        entries.delete(key);
        entries.set(key, entry); // the map's order is the order of last checks
        entry.checkedAt = checkedAt;
      }
      return entry.resource;
    }
    const loaded = await loadResource(join(settings.root, key), settings);
    if (loaded.kind === "resource") store(key, loaded);
    else remove(key);
    return loaded;
  }

  return {
    get(segments) {
      const key = segments.join("/");
      const entry = entries.get(key);
      if (entry !== undefined && performance.now() - entry.checkedAt < settings.revalidateMs) {
        return entry.resource;
      }
      const waiting = pending.get(key);
      if (waiting !== undefined) return waiting;
      const refreshed = refresh(key, entry).finally(() => pending.delete(key));
      pending.set(key, refreshed);
      return refreshed;
    },
    drop(segments) {
      remove(segments.join("/"));
    },
  };
}
