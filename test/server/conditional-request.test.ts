import { expect } from "chai";
import { describe, it } from "mocha";
import {
  evaluatePreconditions,
  formatHttpDate,
  ifRangeHolds,
  matchesEntityTag,
} from "@hauberk/server/semantics";

const MODIFIED = Date.UTC(2026, 9, 1, 12, 0, 0) / 1000;
const VALIDATORS = { etag: '"abc"', lastModified: MODIFIED };
const BEFORE = formatHttpDate(MODIFIED - 1);
const SAME = formatHttpDate(MODIFIED);
const AFTER = formatHttpDate(MODIFIED + 1);

const CASES: readonly [fields: Record<string, string>, outcome: "perform" | 304 | 412][] = [
  [{}, "perform"],
  [{ "if-none-match": '"abc"' }, 304],
  [{ "if-none-match": 'W/"abc"' }, 304],
  [{ "if-none-match": "*" }, 304],
  [{ "if-none-match": '"x", "abc"' }, 304],
  [{ "if-none-match": '"x","y"' }, "perform"],
  [{ "if-none-match": '"a,b" , W/"abc"' }, 304],
  [{ "if-none-match": "abc" }, "perform"],
  [{ "if-none-match": '"x"', "if-modified-since": AFTER }, "perform"],
  [{ "if-modified-since": SAME }, 304],
  [{ "if-modified-since": AFTER }, 304],
  [{ "if-modified-since": BEFORE }, "perform"],
  [{ "if-modified-since": "yesterday" }, "perform"],
  [{ "if-modified-since": "2026-12-01" }, "perform"],
  [{ "if-match": '"abc"' }, "perform"],
  [{ "if-match": 'W/"abc"' }, 412],
  [{ "if-match": "*" }, "perform"],
  [{ "if-match": '"x"' }, 412],
  [{ "if-match": '"x"', "if-none-match": '"abc"' }, 412],
  [{ "if-unmodified-since": BEFORE }, 412],
  [{ "if-unmodified-since": SAME }, "perform"],
  [{ "if-match": '"abc"', "if-unmodified-since": BEFORE }, "perform"],
  [{ "if-unmodified-since": SAME, "if-none-match": '"abc"' }, 304],
];

describe("evaluatePreconditions()", () => {
  for (const [fields, outcome] of CASES) {
    it(`answers ${JSON.stringify(fields)} with ${outcome}`, () => {
      expect(evaluatePreconditions((name) => fields[name], VALIDATORS)).to.equal(outcome);
    });
  }

  it("ignores dates when the file has none", () => {
    const validators = { etag: '"abc"', lastModified: undefined };
    const fields: Record<string, string> = { "if-modified-since": AFTER };
    expect(evaluatePreconditions((name) => fields[name], validators)).to.equal("perform");
  });
});

describe("ifRangeHolds()", () => {
  const holds = (ifRange: string, now = MODIFIED + 3600): boolean =>
    ifRangeHolds((name) => (name === "if-range" ? ifRange : undefined), VALIDATORS, now);

  it("holds for the same strong tag or date", () => {
    expect(holds('"abc"')).to.equal(true);
    expect(holds(SAME)).to.equal(true);
  });

  it("does not hold for another or weak tag, another date or nonsense", () => {
    for (const ifRange of ['"x"', 'W/"abc"', BEFORE, AFTER, "abc", "*", ""]) {
      expect(holds(ifRange), ifRange).to.equal(false);
    }
  });

  it("does not trust a date within the second of the change (RFC 9110 8.8.2.2)", () => {
    expect(holds(SAME, MODIFIED)).to.equal(false);
  });
});

describe("matchesEntityTag()", () => {
  it("stops at the first malformed element", () => {
    expect(matchesEntityTag('"x" "abc"', '"abc"', "weak")).to.equal(false);
    expect(matchesEntityTag(', ,"abc"', '"abc"', "weak")).to.equal(false);
    expect(matchesEntityTag('"x",, "abc"', '"abc"', "weak")).to.equal(true);
  });
});
