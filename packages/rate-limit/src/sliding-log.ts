import type { WindowCount } from "./window-count.ts";

/** The largest limit that is kept as a log: 520 bytes of times a key. */
export const MAX_LOG_LENGTH = 64;

/**
 * Returns an exact count: the time of every request, for as long as it is younger than a window.
 *
 * A record is their number and their times, oldest first. A key is admitted `limit` times in any
 * window, and never fewer. `length` is the largest limit that the record has room for.
 */
export function slidingLog(windowTicks: number, length: number): WindowCount {
  return {
    width: 1 + length,

    used(numbers, at, now) {
      const count = numbers[at]!;
      const first = at + 1;
      let expired = 0;
      while (expired < count && now - numbers[first + expired]! >= windowTicks) expired++;
      numbers.copyWithin(first, first + expired, first + count);
      const kept = count - expired;
      numbers[at] = kept;
      // A clock that steps back: what lies ahead of it counts for one window from now.
      for (let entry = first + kept - 1; entry >= first && numbers[entry]! > now; entry--) {
        numbers[entry] = now;
      }
      return kept;
    },

    add(numbers, at, cost, now) {
      const end = at + 1 + numbers[at]!;
      numbers.fill(now, end, end + cost);
      numbers[at] = numbers[at]! + cost;
    },

    remove(numbers, at, cost) {
      numbers[at] = Math.max(numbers[at]! - cost, 0);
    },

    fallsTo(numbers, at, allowed) {
      const count = numbers[at]!;
      return count <= allowed ? 0 : numbers[at + count - allowed]! + windowTicks;
    },
  };
}
