import { PROBLEM_MEDIA_TYPE, quotaExceededBody, quotaExceededProblem } from "@hauberk/rate-limit";
import { expect } from "chai";
import { describe, it } from "mocha";

const POLICY = { name: 'the "daily" one', limit: 10, windowMs: 1000, burst: 10 };

describe("quotaExceededProblem()", () => {
  it("names the violated policy as the draft asks (section 5.1)", () => {
    expect(quotaExceededProblem(POLICY)).to.deep.equal({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      title: "Request cannot be satisfied as assigned quota has been exceeded",
      status: 429,
      "violated-policies": ['the "daily" one'],
    });
  });

  it("repeats the status of the response (RFC 9457 section 3.1.2)", () => {
    expect(quotaExceededProblem(POLICY, 503).status).to.equal(503);
  });

  it("comes as JSON bytes too", () => {
    expect(JSON.parse(quotaExceededBody(POLICY, 503).toString("utf8"))).to.deep.equal(
      quotaExceededProblem(POLICY, 503),
    );
    expect(PROBLEM_MEDIA_TYPE).to.equal("application/problem+json");
  });
});
