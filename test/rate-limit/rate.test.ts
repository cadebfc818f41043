import { parseRate } from "@hauberk/rate-limit";
import { expect } from "chai";
import { describe, it } from "mocha";

describe("parseRate()", () => {
  for (const [text, limit, windowMs] of [
    ["100/1m", 100, 60_000],
    ["10/s", 10, 1000],
    ["1000/1h", 1000, 3_600_000],
    ["5/15m", 5, 900_000],
    ["3/250ms", 3, 250],
    ["0/1d", 0, 86_400_000],
    ["1/366d", 1, 31_622_400_000],
  ] as const) {
    it(`reads ${text} as ${limit} per ${windowMs} ms`, () => {
      expect(parseRate(text)).to.deep.equal({ limit, windowMs });
    });
  }

  for (const text of ["", "100", "/1m", "100/", "100/1", "1.5/s", "-1/s", "100/1w", "100/1M"]) {
    it(`refuses ${JSON.stringify(text)} and shows the form it wants`, () => {
      expect(() => parseRate(text)).to.throw(
        SyntaxError,
        `Cannot parse rate ${JSON.stringify(text)}`,
      );
      expect(() => parseRate(text)).to.throw(SyntaxError, '"100/1m"');
    });
  }

  for (const text of [" 100/1m", "100/1m\n", "100 / 1m", "100/1m 10/s"]) {
    it(`refuses ${JSON.stringify(text)}: no space belongs in a rate`, () => {
      expect(() => parseRate(text)).to.throw(SyntaxError);
    });
  }

  it("refuses a window of 0, a window above 366 days and a limit above 1,000,000,000", () => {
    expect(() => parseRate("5/0s")).to.throw(RangeError, /"windowMs".*got 0/);
    expect(() => parseRate("5/367d")).to.throw(RangeError, /"windowMs"/);
    expect(() => parseRate("1000000001/s")).to.throw(RangeError, /"limit"/);
    expect(() => parseRate(`${"9".repeat(400)}/s`)).to.throw(RangeError, /got Infinity/);
  });

  it("refuses what is no string", () => {
    expect(() => parseRate(100 as never)).to.throw(TypeError, /expected a string, got 100/);
  });
});
