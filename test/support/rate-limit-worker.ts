import { workerData } from "node:worker_threads";
import { SharedMemoryStore, createLimiter } from "@hauberk/rate-limit";

/** What a worker is given. */
export interface WorkerTask {
  readonly buffer: SharedArrayBuffer;
  /** Set to 1 when all workers may begin. */
  readonly start: Int32Array;
  /** Counts workers that are ready at index 0, and admitted requests of each key after it. */
  readonly counts: Int32Array;
  readonly limit: number;
  readonly keys: readonly string[];
  /** Requests of each key. */
  readonly rounds: number;
  /** Whether the clock stands still. */
  readonly isFrozen: boolean;
}

/** A thread that uses up the limit of some keys in a table that it shares with others. */
const { buffer, start, counts, limit, keys, rounds, isFrozen } = workerData as WorkerTask;
const store = new SharedMemoryStore({ buffer, ...(isFrozen && { clock: () => 1000 }) });
const limiter = createLimiter({ limit, windowMs: 3_600_000 }, { store });

Atomics.add(counts, 0, 1);
Atomics.notify(counts, 0);
Atomics.wait(start, 0, 0);
for (let round = 0; round < rounds; round++) {
  for (const [index, key] of keys.entries()) {
    if (limiter.consume(key).kind === "admitted") Atomics.add(counts, index + 1, 1);
  }
}
