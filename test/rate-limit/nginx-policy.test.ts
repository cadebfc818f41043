import { type NginxLimitReq, createLimiter, nginxPolicy } from "@hauberk/rate-limit";
import { expect } from "chai";
import { describe, it } from "mocha";

/** Runs requests at once under a limit_req, and returns what becomes of them. */
function outcomesOf(limitReq: NginxLimitReq, count: number): (number | string)[] {
  const limiter = createLimiter(nginxPolicy(limitReq), { clock: () => 0 });
  return Array.from({ length: count }, () => {
    const decision = limiter.consume("client");
    return decision.kind === "admitted" ? decision.delayMs : decision.kind;
  });
}

describe("nginxPolicy()", () => {
  for (const [limitReq, outcomes] of [
    [{ rate: "10r/s" }, [0, "limited"]],
    [{ rate: "10r/s", burst: 3 }, [0, 100, 200, 300, "limited"]],
    [{ rate: "10r/s", burst: 3, nodelay: true }, [0, 0, 0, 0, "limited"]],
    [{ rate: "10r/s", burst: 3, delay: 2 }, [0, 0, 0, 100, "limited"]],
  ] as const) {
    it(`lets a burst through ${JSON.stringify(limitReq)} as nginx does`, () => {
      expect(outcomesOf(limitReq, outcomes.length)).to.deep.equal(outcomes);
    });
  }

  for (const [rate, limit, windowMs] of [
    ["1r/s", 1, 1000],
    ["30r/m", 500, 1_000_000],
    ["1r/m", 16, 1_000_000],
  ] as const) {
    it(`cuts ${rate} to thousandths of a request per second`, () => {
      expect(nginxPolicy({ rate })).to.deep.include({ limit, windowMs });
    });
  }

  for (const rate of ["10", "10r/h", "r/s", "-1r/s", "1.5r/s", " 1r/s", 10]) {
    it(`cannot parse the rate ${JSON.stringify(rate)}`, () => {
      expect(() => nginxPolicy({ rate: rate as string })).to.throw(
        SyntaxError,
        /Cannot parse rate/,
      );
    });
  }

  for (const [limitReq, error, message] of [
    [{ rate: "0r/s" }, RangeError, '"rate"'],
    [{ rate: "1r/s", burst: -1 }, RangeError, '"burst"'],
    [{ rate: "1r/s", burst: 2, delay: 3 }, RangeError, '"delay" must be an integer from 0 to 2'],
    [{ rate: "1r/s", burst: 2, delay: 1, nodelay: true }, TypeError, "exclude each other"],
    [{ rate: "1r/s", brust: 2 }, TypeError, 'did you mean "burst"?'],
  ] as const) {
    it(`refuses ${JSON.stringify(limitReq)}`, () => {
      expect(() => nginxPolicy(limitReq as NginxLimitReq)).to.throw(error, message);
    });
  }
});
