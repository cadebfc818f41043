import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { parseRange, type RangeRequest } from "@hauberk/server/semantics";

const CASES: readonly [header: string, size: number, outcome: RangeRequest][] = [
  // RFC 9110 section 14.1.2, with its representation of 10000 bytes
  ["bytes=0-499", 10_000, [{ first: 0, last: 499 }]],
  ["bytes=500-999", 10_000, [{ first: 500, last: 999 }]],
  ["bytes=-500", 10_000, [{ first: 9500, last: 9999 }]],
  ["bytes=9500-", 10_000, [{ first: 9500, last: 9999 }]],
  [
    "bytes=0-0,-1",
    10_000,
    [
      { first: 0, last: 0 },
      { first: 9999, last: 9999 },
    ],
  ],
  [
    "bytes= 0-999, 4500-5499, -1000",
    10_000,
    [
      { first: 0, last: 999 },
      { first: 4500, last: 5499 },
      { first: 9000, last: 9999 },
    ],
  ],
  ["bytes=0-0", 10, [{ first: 0, last: 0 }]],
  ["bytes=-3", 10, [{ first: 7, last: 9 }]],
  ["bytes=-30", 10, [{ first: 0, last: 9 }]],
  ["bytes=5-999", 10, [{ first: 5, last: 9 }]],
  ["BYTES=5-6", 10, [{ first: 5, last: 6 }]],
  ["bytes=20-30,5-6", 10, [{ first: 5, last: 6 }]],
  ["bytes=,,5-6,", 10, [{ first: 5, last: 6 }]],
  ["bytes=10-", 10, "unsatisfiable"],
  ["bytes=-0", 10, "unsatisfiable"],
  ["bytes=0-", 0, "unsatisfiable"],
  ["bytes=99999999999999999999-", 10, "unsatisfiable"],
  ["bytes=6-5", 10, "ignore"],
  ["bytes=a-b", 10, "ignore"],
  ["bytes=", 10, "ignore"],
  ["bytes=-", 10, "ignore"],
  ["bytes=1 - 2", 10, "ignore"],
  ["bytes 0-1", 10, "ignore"],
  ["items=0-1", 10, "ignore"],
  ["bytes=0-1;2-3", 10, "ignore"],
  ["bytes=0-,0-,0-", 10, "ignore"],
  [`bytes=${Array.from({ length: 17 }, (_, i) => `${i}-${i}`).join(",")}`, 100, "ignore"],
];

describe("parseRange()", () => {
  for (const [header, size, outcome] of CASES) {
    const result = typeof outcome === "string" ? outcome : `${outcome.length} range(s)`;
    it(`takes ${JSON.stringify(header)} of ${size} bytes for ${result}`, () => {
      expect(parseRange(header, size)).to.deep.equal(outcome);
    });
  }

  it("never selects a byte outside the representation, nor more bytes than it has", () => {
    const header = fc.oneof(
      fc.string(),
      fc.stringMatching(/^bytes=[\d, -]{0,40}$/),
      fc
        .array(fc.tuple(fc.nat(50), fc.nat(50)))
        .map((specs) => `bytes=${specs.map(([a, b]) => `${a}-${b}`).join(",")}`),
    );
    fc.assert(
      fc.property(header, fc.nat(40), (text, size) => {
        const ranges = parseRange(text, size);
        if (typeof ranges === "string") return;
        let total = 0;
        for (const { first, last } of ranges) {
          expect(first).to.be.within(0, last);
          expect(last).to.be.below(size);
          total += last - first + 1;
        }
        expect(total).to.be.within(1, size);
      }),
    );
  });
});
