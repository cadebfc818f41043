import { compileSecurityHeaders, createNonce, HeadersError } from "@hauberk/headers";
import { expect } from "chai";
import { describe, it } from "mocha";
import { byName } from "../support/header-fields.ts";

const NONE = { scripts: [], styles: [] };

function hashes(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `sha256-${String(index).padStart(43, "A")}=`);
}

describe("compileSecurityHeaders()", () => {
  it("returns one frozen array per kind of connection", () => {
    const compiled = compileSecurityHeaders();
    const fields = compiled.fields({ secure: true });
    expect(compiled.fields({ secure: true })).to.equal(fields);
    expect(compiled.fields({ secure: false })).not.to.equal(fields);
    expect(Object.isFrozen(fields)).to.equal(true);
  });

  it("returns that array for nonces and hashes too when the policy has no place for them", () => {
    const compiled = compileSecurityHeaders({ preset: "api" });
    const fields = compiled.fields({ secure: true });
    expect(compiled.fieldsWithNonce({ secure: true, nonce: createNonce() })).to.equal(fields);
    expect(compiled.fieldsWithHashes({ secure: true, hashes: NONE })).to.equal(fields);
  });

  it("writes names in lower case", () => {
    const names = Object.keys(byName(compileSecurityHeaders().fields({ secure: true })));
    expect(names).to.deep.equal(names.map((name) => name.toLowerCase()));
  });

  it("differs between two nonces in the nonce alone", () => {
    const compiled = compileSecurityHeaders({ preset: "strict" });
    const [first, second] = ["first", "second"].map((nonce) =>
      compiled.fieldsWithNonce({ secure: true, nonce }).join("\n"),
    );
    expect(second).to.equal(first?.replaceAll("'nonce-first'", "'nonce-second'"));
    expect(first).to.include("'nonce-first'");
  });

  it("sends no policy at all when it is switched off", () => {
    const compiled = compileSecurityHeaders({ contentSecurityPolicy: false });
    expect(compiled.usesNonce).to.equal(false);
    const fields = compiled.fieldsWithNonce({ secure: true, nonce: "abc" });
    expect(fields.join("\n")).not.to.match(/content-security-policy/i);
  });

  it("refuses a directive function, which needs a request", () => {
    const directives = { imgSrc: [() => "https://a.example"] };
    expect(() => compileSecurityHeaders({ contentSecurityPolicy: { directives } })).to.throw(
      TypeError,
      /function.*securityHeaders\(\)/,
    );
  });

  for (const nonce of ["", "a b", "a' 'unsafe-inline", "a;b", "a\r\nb", "a===", "é"]) {
    it(`refuses the nonce ${JSON.stringify(nonce)}`, () => {
      const compiled = compileSecurityHeaders();
      expect(() => compiled.fieldsWithNonce({ secure: true, nonce })).to.throw(TypeError, /base64/);
    });
  }

  for (const hash of ["", "abc", "'sha256-abc'", `${hashes(1).join("")}' *`, "sha256-abc"]) {
    it(`refuses the hash ${JSON.stringify(hash)}`, () => {
      const compiled = compileSecurityHeaders();
      expect(() =>
        compiled.fieldsWithHashes({ secure: true, hashes: { scripts: [hash], styles: [] } }),
      ).to.throw(TypeError, /hashes must be/);
    });
  }

  it("admits 140 hashes and refuses with a code what proxies would drop", () => {
    const compiled = compileSecurityHeaders({ preset: "strict" });
    const fieldsFor = (count: number): readonly string[] =>
      compiled.fieldsWithHashes({ secure: true, hashes: { scripts: hashes(count), styles: [] } });
    expect(fieldsFor(140)[1]).to.have.length.within(7000, 8192);
    expect(() => fieldsFor(160))
      .to.throw(HeadersError, /8192/)
      .with.property("code", "ERR_HEADERS_POLICY_TOO_LONG");
  });
});
