import { reportCollector } from "@hauberk/headers/reports";
import { expect } from "chai";
import { describe, it } from "mocha";

describe("options of reportCollector()", () => {
  for (const [options, message] of [
    [{ paths: "/x" }, /paths.*did you mean "path"/],
    [{ path: "/x/" }, /path/],
    [{ path: "x" }, /path/],
    [{ store: {} }, /store must have the methods add/],
    [{ limiter: () => true }, /limiter/],
    [{ origins: "https://a.example" }, /origins/],
    [{ origins: ["https://a.example/"] }, /origins/],
    [{ page: { tokn: "" } }, /tokn.*did you mean "token"/],
    [{ page: { policy: ["a"] } }, /page\.policy/],
    [{ page: { minReporters: "3" } }, /page\.minReporters/],
    [{ clock: 5 }, /clock/],
  ] as const) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      expect(() => reportCollector(options as object)).to.throw(TypeError, message);
    });
  }

  it("refuses a short token without repeating it", () => {
    expect(() => reportCollector({ page: { token: "hunter2" } })).to.throw(
      RangeError,
      /^(?!.*hunter2)/,
    );
  });
});
