import { ServerResponse, IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { createNonce, cspNonce } from "@hauberk/headers";
import { expect } from "chai";
import { describe, it } from "mocha";

describe("createNonce()", () => {
  it("returns 24 characters of base64url", () => {
    expect(createNonce()).to.match(/^[A-Za-z0-9_-]{24}$/);
  });

  it("holds 144 bits", () => {
    expect(Buffer.from(createNonce(), "base64url")).to.have.length(18);
  });

  it("never repeats, across several refills of its pool", () => {
    const nonces = Array.from({ length: 455 * 3 + 7 }, createNonce);
    expect(new Set(nonces).size).to.equal(nonces.length);
    expect(nonces.every((nonce) => nonce.length === 24)).to.equal(true);
  });

  it("shares no bytes between neighbours", () => {
    const bytes = Array.from({ length: 1000 }, () => Buffer.from(createNonce(), "base64url"));
    const windows = bytes.flatMap((nonce) =>
      Array.from({ length: 11 }, (_, at) => nonce.subarray(at, at + 8).toString("hex")),
    );
    expect(new Set(windows).size).to.equal(windows.length);
  });
});

describe("cspNonce()", () => {
  it("refuses a response that the middleware did not see", () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    expect(() => cspNonce(response)).to.throw(TypeError, /securityHeaders\(\) did not run/);
  });
});
