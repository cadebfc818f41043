import { needsRenewal } from "@hauberk/cert";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 1);

function certificate(days: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(START), notAfter: new Date(START + days * DAY_MS) };
}

function afterDays(days: number): Date {
  return new Date(START + days * DAY_MS);
}

describe("needsRenewal()", () => {
  it("is true from the moment a third of the lifetime is left", () => {
    expect(needsRenewal(certificate(90), new Date(afterDays(60).getTime() - 1))).to.equal(false);
    expect(needsRenewal(certificate(90), afterDays(60))).to.equal(true);
  });

  it("goes by the lifetime, so a six-day certificate is not due on its first day", () => {
    expect(needsRenewal(certificate(6), afterDays(1))).to.equal(false);
    expect(needsRenewal(certificate(6), afterDays(4))).to.equal(true);
  });

  it("takes another ratio", () => {
    expect(needsRenewal(certificate(10), afterDays(5), 0.5)).to.equal(true);
    expect(needsRenewal(certificate(10), afterDays(4), 0.5)).to.equal(false);
  });

  it("refuses a ratio outside 0 to 1", () => {
    for (const ratio of [0, 1, -1, 2, Number.NaN]) {
      expect(() => needsRenewal(certificate(1), afterDays(0), ratio)).to.throw(RangeError, "ratio");
    }
  });

  it("never turns false again as time goes on", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 825 }), fc.nat(1000), fc.nat(1000), (days, a, b) => {
        const [early, late] = [Math.min(a, b), Math.max(a, b)];
        const isDueEarly = needsRenewal(certificate(days), afterDays(early));
        const isDueLate = needsRenewal(certificate(days), afterDays(late));
        expect(isDueLate || !isDueEarly).to.equal(true);
      }),
    );
  });
});
