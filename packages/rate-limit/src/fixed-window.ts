import type { WindowCount } from "./window-count.ts";

/**
 * Returns the count of express-rate-limit: a window begins with the first request and is forgotten
 * as a whole `windowTicks` later.
 *
 * A record is the start of the window and the cost in it. A key is admitted `limit` times per window,
 * and around the end of one twice in no time: at most `limit * (2 + t / window)` in any period `t`.
 */
export function fixedWindow(windowTicks: number): WindowCount {
  return {
    width: 2,

    used(numbers, at, now) {
      const start = numbers[at]!;
      if (now - start >= windowTicks) numbers[at + 1] = 0;
      // A clock that steps back an hour would hold the window open for that hour.
      else if (start > now) numbers[at] = now;
      return numbers[at + 1]!;
    },

    add(numbers, at, cost, now) {
      if (numbers[at + 1] === 0) numbers[at] = now;
      numbers[at + 1] = numbers[at + 1]! + cost;
    },

    remove(numbers, at, cost) {
      numbers[at + 1] = Math.max(numbers[at + 1]! - cost, 0);
    },

    fallsTo(numbers, at, allowed) {
      return numbers[at + 1]! <= allowed ? 0 : numbers[at]! + windowTicks;
    },
  };
}
