import {
  compileSecurityHeaders,
  createNonce,
  type PresetName,
  type SecurityHeadersOptions,
} from "@hauberk/headers";
import { expect } from "chai";
import { describe, it } from "mocha";
import { byName } from "../support/header-fields.ts";

function sent(options: SecurityHeadersOptions, secure = true): Record<string, string> {
  return byName(compileSecurityHeaders(options).fields({ secure }));
}

const HASHES = { scripts: ["sha256-n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="], styles: [] };

describe("the site preset", () => {
  it("is the default", () => {
    expect(sent({})).to.deep.equal(sent({ preset: "site" }));
  });

  it("sends these values over TLS", () => {
    expect(sent({ preset: "site" })).to.deep.equal({
      "content-security-policy":
        "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';" +
        "frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';" +
        "script-src-attr 'none';style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "origin-agent-cluster": "?1",
      "permissions-policy":
        "camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), midi=(), " +
        "payment=(), serial=(), usb=()",
      "referrer-policy": "no-referrer",
      "strict-transport-security": "max-age=63072000; includeSubDomains",
      "x-content-type-options": "nosniff",
      "x-dns-prefetch-control": "off",
      "x-download-options": "noopen",
      "x-frame-options": "SAMEORIGIN",
      "x-permitted-cross-domain-policies": "none",
      "x-xss-protection": "0",
    });
  });

  it("admits a nonce or a page's hashes beside its own scripts", () => {
    const compiled = compileSecurityHeaders({ preset: "site" });
    const nonced = byName(compiled.fieldsWithNonce({ secure: true, nonce: "abc" }));
    expect(nonced["content-security-policy"]).to.include(";script-src 'self' 'nonce-abc';");
    const hashed = byName(compiled.fieldsWithHashes({ secure: true, hashes: HASHES }));
    expect(hashed["content-security-policy"]).to.include(
      `;script-src 'self' '${HASHES.scripts[0]}';`,
    );
  });
});

describe("the strict preset", () => {
  it("sends these values over TLS", () => {
    expect(sent({ preset: "strict" })).to.deep.equal({
      "content-security-policy":
        "default-src 'none';script-src 'none';style-src 'self';img-src 'self' data:;" +
        "font-src 'self';connect-src 'self';media-src 'self';manifest-src 'self';" +
        "worker-src 'self';object-src 'none';base-uri 'none';form-action 'self';" +
        "frame-ancestors 'none';require-trusted-types-for 'script';trusted-types 'none';upgrade-insecure-requests",
      "cross-origin-embedder-policy": "require-corp",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "origin-agent-cluster": "?1",
      "permissions-policy":
        "accelerometer=(), camera=(), clipboard-read=(), display-capture=(), " +
        "encrypted-media=(), gamepad=(), geolocation=(), gyroscope=(), hid=(), " +
        "identity-credentials-get=(), idle-detection=(), magnetometer=(), microphone=(), " +
        "midi=(), otp-credentials=(), payment=(), screen-wake-lock=(), serial=(), " +
        "storage-access=(), sync-xhr=(), usb=(), window-management=(), xr-spatial-tracking=()",
      "referrer-policy": "no-referrer",
      "strict-transport-security": "max-age=63072000; includeSubDomains",
      "x-content-type-options": "nosniff",
      "x-dns-prefetch-control": "off",
      "x-frame-options": "DENY",
      "x-permitted-cross-domain-policies": "none",
    });
  });

  it("trusts the nonce and what nonced scripts load", () => {
    const fields = compileSecurityHeaders({ preset: "strict" }).fieldsWithNonce({
      secure: true,
      nonce: "abc",
    });
    expect(byName(fields)["content-security-policy"]).to.include(
      ";script-src 'nonce-abc' 'strict-dynamic';style-src 'self' 'nonce-abc';",
    );
  });

  it("trusts the hashes of a page and what those scripts load", () => {
    const fields = compileSecurityHeaders({ preset: "strict" }).fieldsWithHashes({
      secure: true,
      hashes: HASHES,
    });
    expect(byName(fields)["content-security-policy"]).to.include(
      `;script-src '${HASHES.scripts[0]}' 'strict-dynamic';style-src 'self';`,
    );
  });

  it("allows a page without scripts none at all", () => {
    const fields = compileSecurityHeaders({ preset: "strict" }).fieldsWithHashes({
      secure: true,
      hashes: { scripts: [], styles: [] },
    });
    expect(byName(fields)["content-security-policy"]).to.include(";script-src 'none';");
  });
});

describe("the api preset", () => {
  it("sends these values over TLS", () => {
    expect(sent({ preset: "api" })).to.deep.equal({
      "content-security-policy":
        "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "strict-transport-security": "max-age=63072000; includeSubDomains",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    });
  });

  it("has no use for nonces", () => {
    expect(compileSecurityHeaders({ preset: "api" }).usesNonce).to.equal(false);
  });
});

describe("every preset", () => {
  for (const preset of ["site", "strict", "api"] satisfies PresetName[]) {
    it(`leaves HSTS and upgrade-insecure-requests out over plain HTTP (${preset})`, () => {
      const secure = sent({ preset });
      const plain = sent({ preset }, false);
      const { "strict-transport-security": hsts, ...others } = secure;
      expect(hsts).to.match(/^max-age=/);
      expect(plain).to.deep.equal({
        ...others,
        "content-security-policy": others["content-security-policy"]?.replace(
          ";upgrade-insecure-requests",
          "",
        ),
      });
    });

    it(`stays under 1,500 bytes with a nonce (${preset})`, () => {
      const fields = compileSecurityHeaders({ preset }).fieldsWithNonce({
        secure: true,
        nonce: createNonce(),
      });
      expect(fields.join(": \r\n").length).to.be.below(1500);
    });
  }
});
