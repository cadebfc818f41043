import { createLimiter } from "@hauberk/rate-limit";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";

interface Arrivals {
  readonly limit: number;
  readonly windowMs: number;
  readonly burst: number;
  /** Pause before each request. Milliseconds. */
  readonly pausesMs: readonly number[];
}

const arrivals: fc.Arbitrary<Arrivals> = fc.record({
  limit: fc.integer({ min: 1, max: 20 }),
  windowMs: fc.integer({ min: 1, max: 200 }),
  burst: fc.integer({ min: 1, max: 25 }),
  pausesMs: fc.array(
    fc.oneof(
      fc.constant(0),
      fc.integer({ min: 0, max: 4 }),
      fc.double({ min: 0, max: 50, noNaN: true }),
    ),
    { minLength: 1, maxLength: 120 },
  ),
});

/** Runs the arrivals and returns the exact log: the times at which a request was admitted. */
function admittedTimes({ limit, windowMs, burst, pausesMs }: Arrivals): number[] {
  let now = 0;
  const limiter = createLimiter({ limit, windowMs, burst }, { clock: () => now });
  const log: number[] = [];
  for (const pauseMs of pausesMs) {
    now += pauseMs;
    if (limiter.consume("client").kind === "admitted") log.push(now);
  }
  return log;
}

describe("GCRA", () => {
  it("never admits more than burst + t * rate in any period of length t", () => {
    const tickMs = 1 / 90_090;
    fc.assert(
      fc.property(arrivals, (run) => {
        const log = admittedTimes(run);
        for (const [first, start] of log.entries()) {
          for (let last = first; last < log.length; last++) {
            // Readings of the clock are cut to whole ticks, so a period may be one tick longer.
            const periodMs = log[last]! - start + tickMs;
            const bound = run.burst + (periodMs * run.limit) / run.windowMs;
            expect(last - first + 1).to.be.at.most(Math.floor(bound));
          }
        }
      }),
    );
  });

  it("admits whatever a token bucket in exact fractions admits, within a tick", () => {
    const wholeMs = arrivals.map((run) => ({ ...run, pausesMs: run.pausesMs.map(Math.floor) }));
    fc.assert(
      fc.property(wholeMs, (run) => {
        const dividesExactly = (run.windowMs * 90_090) % run.limit === 0;
        fc.pre(dividesExactly);
        expect(admittedTimes(run)).to.deep.equal(tokenBucketTimes(run));
      }),
    );
  });
});

/** A bucket counted in units of 1/windowMs token, so that whole milliseconds refill it by integers. */
function tokenBucketTimes({ limit, windowMs, burst, pausesMs }: Arrivals): number[] {
  const log: number[] = [];
  let now = 0;
  let level = burst * windowMs;
  for (const pauseMs of pausesMs) {
    now += pauseMs;
    level = Math.min(level + pauseMs * limit, burst * windowMs);
    if (level < windowMs) continue;
    level -= windowMs;
    log.push(now);
  }
  return log;
}
