import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { formatHttpDate, parseHttpDate } from "@hauberk/server/semantics";

const RFC_TIME = Date.UTC(1994, 10, 6, 8, 49, 37) / 1000;
const NOW = Date.UTC(2026, 10, 22);

describe("parseHttpDate()", () => {
  it("reads the three forms of RFC 9110 section 5.6.7", () => {
    for (const text of [
      "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994",
    ]) {
      expect(parseHttpDate(text, NOW), text).to.equal(RFC_TIME);
    }
  });

  it("takes a two-digit year more than 50 years ahead for a past one", () => {
    const year = (text: string): number =>
      new Date((parseHttpDate(text, NOW) ?? 0) * 1000).getUTCFullYear();
    expect(year("Sunday, 06-Nov-76 08:49:37 GMT")).to.equal(2076);
    expect(year("Sunday, 06-Nov-77 08:49:37 GMT")).to.equal(1977);
  });

  it("refuses everything else", () => {
    for (const text of [
      undefined,
      "",
      "0",
      "1994-11-06",
      "Sun, 06 Nov 1994 08:49:37 +0000",
      "Sun, 06 Nov 1994 08:49:37",
      "Sun, 31 Feb 1994 08:49:37 GMT",
      "Sun, 06 Nop 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 24:00:00 GMT",
      "Sun, 06 Nov 1994 08:60:00 GMT",
      "sun, 06 nov 1994 08:49:37 gmt",
    ]) {
      expect(parseHttpDate(text, NOW), String(text)).to.equal(undefined);
    }
  });

  it("reads back what formatHttpDate() wrote", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
        expect(parseHttpDate(formatHttpDate(seconds), NOW)).to.equal(seconds);
      }),
    );
  });
});
