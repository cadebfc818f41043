import { expect } from "chai";
import { describe, it } from "mocha";
import { type Coding, selectCoding } from "@hauberk/server/semantics";

const ALL: readonly Coding[] = ["br", "zstd", "gzip"];

const CASES: readonly [string | undefined, readonly Coding[], string | undefined][] = [
  [undefined, ALL, "identity"],
  ["", ALL, "identity"],
  ["gzip, deflate, br, zstd", ALL, "br"],
  ["gzip, deflate, br, zstd", ["zstd", "gzip"], "zstd"],
  ["gzip, deflate, br", ["zstd"], "identity"],
  ["br;q=0.1, gzip", ALL, "gzip"],
  ["br;q=0.1,gzip;q=0.2,zstd;q=0.15", ALL, "gzip"],
  ["gzip;q=0", ["gzip"], "identity"],
  ["gzip;q=0.000", ["gzip"], "identity"],
  ["*", ALL, "br"],
  ["*;q=0", ALL, undefined],
  ["identity;q=0", [], undefined],
  ["identity;q=0, gzip", ["gzip"], "gzip"],
  ["*;q=0, identity", ["gzip"], "identity"],
  ["gzip, *;q=0", ["br"], undefined],
  ["identity;q=0.5, gzip;q=0.4", ["gzip"], "identity"],
  ["identity, gzip", ["gzip"], "gzip"],
  ["x-gzip", ["gzip"], "gzip"],
  ["GZIP ; Q=1.0", ["gzip"], "gzip"],
  ["gzip;q=2", ["gzip"], "identity"],
  ["gzip;level=9", ["gzip"], "identity"],
];

describe("selectCoding()", () => {
  for (const [header, available, outcome] of CASES) {
    const offer = available.join(", ") || "no coding";
    it(`answers ${JSON.stringify(header)} with ${outcome ?? "nothing"} out of ${offer}`, () => {
      expect(selectCoding(header, available)).to.equal(outcome);
    });
  }
});
