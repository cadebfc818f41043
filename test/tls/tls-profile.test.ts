import { tlsProfile } from "@hauberk/tls";
import { expect } from "chai";
import { describe, it } from "mocha";

describe("tlsProfile()", () => {
  for (const name of ["intermediate", "modern"] as const) {
    it(`says that ${name} is Mozilla's guideline 6.0 of April 2026`, () => {
      const profile = tlsProfile(name);
      expect(profile.name).to.equal(name);
      expect(profile.guideline).to.equal("6.0");
      expect(profile.published).to.equal("2026-04-06");
      expect(profile.source).to.equal("https://ssl-config.mozilla.org/guidelines/6.0.json");
      expect(profile.hstsMaxAgeSeconds).to.equal(63_072_000);
      expect(profile.recommendedLifetimeDays).to.equal(90);
    });

    it(`lets the client of ${name} choose the cipher and prefers the hybrid group`, () => {
      expect(tlsProfile(name).serverPreferredOrder).to.equal(false);
      expect(tlsProfile(name).groups).to.deep.equal([
        "X25519MLKEM768",
        "X25519",
        "prime256v1",
        "secp384r1",
      ]);
    });
  }

  it("gives intermediate TLS 1.2 with six forward secret AEAD ciphers", () => {
    const { protocols, ciphers } = tlsProfile("intermediate");
    expect(protocols).to.deep.equal(["TLSv1.2", "TLSv1.3"]);
    expect(ciphers).to.have.length(6);
    for (const cipher of ciphers) expect(cipher).to.match(/^ECDHE-.*(?:GCM|POLY1305)/);
  });

  it("gives modern TLS 1.3 alone and ECDSA certificates of 90 days", () => {
    const profile = tlsProfile("modern");
    expect(profile.protocols).to.deep.equal(["TLSv1.3"]);
    expect(profile.ciphers).to.deep.equal([]);
    expect(profile.certificateTypes).to.deep.equal(["ecdsa"]);
    expect(profile.maximumLifetimeDays).to.equal(90);
  });

  it("refuses an unknown name and suggests the nearest", () => {
    expect(() => tlsProfile("modrn" as never)).to.throw(
      TypeError,
      /"modrn".*did you mean "modern"/,
    );
    expect(() => tlsProfile("old" as never)).to.throw(
      TypeError,
      /expected one of intermediate, modern/,
    );
    expect(() => tlsProfile("toString" as never)).to.throw(TypeError, /Unknown TLS profile/);
  });

  it("returns data that a caller cannot weaken for others", () => {
    const { ciphers } = tlsProfile("intermediate");
    expect(() => (ciphers as string[]).push("RC4-MD5")).to.throw(TypeError);
  });
});
