import { type RateLimitPolicy, createLimiter } from "@hauberk/rate-limit";
import { expect } from "chai";
import { describe, it } from "mocha";

const VALID: RateLimitPolicy = { limit: 10, windowMs: 1000 };

function parse(changes: object): RateLimitPolicy {
  return createLimiter({ ...VALID, ...changes }).policy;
}

describe("RateLimitPolicy", () => {
  const outOfRange: [string, unknown][] = [
    ["limit", NaN],
    ["limit", -1],
    ["limit", 1.5],
    ["limit", Infinity],
    ["limit", 1_000_000_001],
    ["limit", 2 ** 53],
    ["windowMs", 0],
    ["windowMs", -1],
    ["windowMs", 0.5],
    ["windowMs", NaN],
    ["windowMs", 31_622_400_001],
    ["burst", 0],
    ["burst", NaN],
    ["burst", 2.5],
    ["burst", 1_000_000_001],
    ["name", ""],
    ["name", "caf\u00e9"],
    ["name", "two\r\nlines"],
    ["name", "x".repeat(65)],
  ];
  for (const [key, value] of outOfRange) {
    it(`refuses ${key} ${JSON.stringify(String(value))} as out of range`, () => {
      expect(() => parse({ [key]: value })).to.throw(RangeError, new RegExp(`"${key}".*got`, "s"));
    });
  }

  for (const [key, value] of [
    ["limit", "10"],
    ["limit", undefined],
    ["limit", null],
    ["limit", 10n],
    ["windowMs", "60s"],
    ["windowMs", undefined],
    ["burst", "5"],
    ["name", 5],
  ] as const) {
    it(`refuses ${key} of type ${value === null ? "null" : typeof value}`, () => {
      expect(() => parse({ [key]: value })).to.throw(TypeError, new RegExp(`"${key}".*got`));
    });
  }

  it("refuses an unknown option and offers the nearest", () => {
    expect(() => parse({ windowMS: 1000 })).to.throw(
      TypeError,
      'Unknown rate limit policy option "windowMS", did you mean "windowMs"?',
    );
    expect(() => parse({ max: 10 })).to.throw(
      TypeError,
      /^Unknown rate limit policy option "max"$/,
    );
  });

  it("refuses a policy that is no object", () => {
    for (const policy of [undefined, null, 5, "100/1m"]) {
      expect(() => createLimiter(policy as never)).to.throw(TypeError, /expected an object/);
    }
  });

  it("refuses a burst that takes more than 366 days to earn back", () => {
    expect(() => parse({ limit: 1, windowMs: 86_400_000, burst: 367 })).to.throw(
      RangeError,
      /within 366 days/,
    );
    expect(parse({ limit: 1, windowMs: 86_400_000, burst: 366 }).burst).to.equal(366);
  });

  it("refuses a burst beside a limit of 0", () => {
    expect(() => parse({ limit: 0, burst: 5 })).to.throw(RangeError, /"burst"/);
  });

  it("takes undefined for absent", () => {
    expect(parse({ name: undefined, burst: undefined })).to.deep.equal({
      name: "default",
      limit: 10,
      windowMs: 1000,
      algorithm: "gcra",
      burst: 10,
      strict: false,
      delayAfter: 10,
    });
  });
});
