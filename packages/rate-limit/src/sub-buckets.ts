import type { WindowCount } from "./window-count.ts";

const STEPS = 10;
/** A window that ends within a step reaches into one step more than it is long. */
const BUCKETS: number = STEPS + 1;

// A record: the number of the newest step, the length of a step, then the costs of eleven steps.
const NEWEST = 0;
const STEP = 1;
const COSTS = 2;

/**
 * Returns a count in steps of a tenth of the window, of which the oldest counts as a whole.
 *
 * A key is admitted at most `limit` times in any window; a request counts for a window and up to a
 * tenth of it longer. `windowTicks` must be a multiple of ten.
 */
export function subBuckets(windowTicks: number): WindowCount {
  const stepTicks = windowTicks / STEPS;

  function costOf(numbers: Float64Array, at: number): number {
    let cost = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) cost += numbers[at + COSTS + bucket]!;
    return cost;
  }

  function clear(numbers: Float64Array, at: number): void {
    numbers.fill(0, at + COSTS, at + COSTS + BUCKETS);
  }

  return {
    width: COSTS + BUCKETS,

    used(numbers, at, now) {
      const current = Math.floor(now / stepTicks);
      const newest = numbers[at + NEWEST]!;
      if (current === newest && numbers[at + STEP] === stepTicks) return costOf(numbers, at);

      if (current < newest || numbers[at + STEP] !== stepTicks) {
        // The clock stepped back, or the window is another: all counts for one window from now.
        const cost = costOf(numbers, at);
        clear(numbers, at);
        numbers[at + COSTS + (current % BUCKETS)] = cost;
      } else if (current - newest >= BUCKETS) {
        clear(numbers, at);
      } else {
        for (let step = newest + 1; step <= current; step++) {
          numbers[at + COSTS + (step % BUCKETS)] = 0;
        }
      }
      numbers[at + NEWEST] = current;
      numbers[at + STEP] = stepTicks;
      return costOf(numbers, at);
    },

    add(numbers, at, cost) {
      const bucket = at + COSTS + (numbers[at + NEWEST]! % BUCKETS);
      numbers[bucket] = numbers[bucket]! + cost;
    },

    remove(numbers, at, cost) {
      const newest = numbers[at + NEWEST]!;
      let left = cost;
      for (let step = newest; left > 0 && step > newest - BUCKETS && step >= 0; step--) {
        const bucket = at + COSTS + (step % BUCKETS);
        const taken = Math.min(numbers[bucket]!, left);
        numbers[bucket] = numbers[bucket]! - taken;
        left -= taken;
      }
    },

    fallsTo(numbers, at, allowed) {
      const newest = numbers[at + NEWEST]!;
      let cost = costOf(numbers, at);
      let step = Math.max(newest - STEPS, 0);
      while (cost > allowed) cost -= numbers[at + COSTS + (step++ % BUCKETS)]!;
      return cost === costOf(numbers, at) ? 0 : (step - 1 + BUCKETS) * stepTicks;
    },
  };
}
