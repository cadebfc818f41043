import { compileSecurityHeaders, type SecurityHeadersOptions } from "@hauberk/headers";
import { expect } from "chai";
import { describe, it } from "mocha";
import { byName } from "../support/header-fields.ts";

const ENDPOINTS = { csp: "/.well-known/reports", default: "https://reports.example/all" };

function sent(options: SecurityHeadersOptions): Record<string, string> {
  return byName(compileSecurityHeaders(options).fields({ secure: true }));
}

describe("headers that report", () => {
  const cases: readonly [SecurityHeadersOptions, string, string | undefined][] = [
    [
      { reportingEndpoints: ENDPOINTS },
      "reporting-endpoints",
      'csp="/.well-known/reports", default="https://reports.example/all"',
    ],
    [{ reportingEndpoints: {} }, "reporting-endpoints", undefined],
    [{ reportingEndpoints: false }, "reporting-endpoints", undefined],
    [{}, "reporting-endpoints", undefined],
    [
      { crossOriginOpenerPolicy: { reportTo: "csp" } },
      "cross-origin-opener-policy",
      'same-origin; report-to="csp"',
    ],
    [
      { crossOriginEmbedderPolicy: { policy: "credentialless", reportTo: "csp" } },
      "cross-origin-embedder-policy",
      'credentialless; report-to="csp"',
    ],
    [
      { crossOriginOpenerPolicyReportOnly: { policy: "same-origin", reportTo: "csp" } },
      "cross-origin-opener-policy-report-only",
      'same-origin; report-to="csp"',
    ],
    [
      { crossOriginEmbedderPolicyReportOnly: { reportTo: "csp" } },
      "cross-origin-embedder-policy-report-only",
      'require-corp; report-to="csp"',
    ],
    [
      { permissionsPolicyReportOnly: { camera: [], usb: { allow: ["self"], reportTo: "csp" } } },
      "permissions-policy-report-only",
      "camera=(), usb=(self);report-to=csp",
    ],
    [
      { preset: "api", permissionsPolicy: { camera: { allow: ["*"], reportTo: "csp" } } },
      "permissions-policy",
      "camera=*;report-to=csp",
    ],
    [{ integrityPolicy: true }, "integrity-policy", "blocked-destinations=(script)"],
    [
      {
        integrityPolicyReportOnly: { blockedDestinations: ["script", "style"], endpoints: ["csp"] },
      },
      "integrity-policy-report-only",
      "blocked-destinations=(script style), endpoints=(csp)",
    ],
    [
      { documentPolicy: { "force-load-at-top": true, "js-profiling": false } },
      "document-policy",
      "force-load-at-top, js-profiling=?0",
    ],
    [
      { documentPolicyReportOnly: { "force-load-at-top": true, reportTo: "csp" } },
      "document-policy-report-only",
      "force-load-at-top, *;report-to=csp",
    ],
    [{ documentPolicy: {} }, "document-policy", undefined],
  ];
  for (const [options, name, value] of cases) {
    it(`${JSON.stringify(options)} sends ${name}: ${value ?? "(nothing)"}`, () => {
      expect(sent(options)[name]).to.equal(value);
    });
  }
});

describe("contentSecurityPolicyReportOnly", () => {
  const tried = { directives: { "script-src": ["'nonce'", "'strict-dynamic'"] } };

  it("stands beside the enforced policy, both with the response's nonce", () => {
    const compiled = compileSecurityHeaders({ contentSecurityPolicyReportOnly: tried });
    const fields = byName(compiled.fieldsWithNonce({ secure: true, nonce: "abc" }));
    expect(fields["content-security-policy"]).to.include("script-src 'self' 'nonce-abc';");
    expect(fields["content-security-policy-report-only"]).to.include(
      "script-src 'nonce-abc' 'strict-dynamic';",
    );
  });

  it("has the hashes of a page too", () => {
    const hash = "sha256-n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=";
    const fields = byName(
      compileSecurityHeaders({ contentSecurityPolicyReportOnly: tried }).fieldsWithHashes({
        secure: true,
        hashes: { scripts: [hash], styles: [] },
      }),
    );
    expect(fields["content-security-policy"]).to.include(`'${hash}'`);
    expect(fields["content-security-policy-report-only"]).to.include(`'${hash}'`);
  });

  it("leaves out what browsers ignore in it", () => {
    const policy = sent({ contentSecurityPolicyReportOnly: true });
    expect(policy["content-security-policy"]).to.include("upgrade-insecure-requests");
    expect(policy["content-security-policy-report-only"]).to.not.include("upgrade");
  });

  it("may come alone", () => {
    const policy = sent({ contentSecurityPolicy: false, contentSecurityPolicyReportOnly: true });
    expect(policy).to.not.have.property("content-security-policy");
    expect(policy).to.have.property("content-security-policy-report-only");
  });

  it("is refused beside a first policy that only reports as well", () => {
    expect(() =>
      compileSecurityHeaders({
        contentSecurityPolicy: { reportOnly: true },
        contentSecurityPolicyReportOnly: true,
      }),
    ).to.throw(TypeError, /no policy would be enforced/);
  });

  it("counts with the enforced one towards what proxies drop", () => {
    const hosts = Array.from({ length: 170 }, (_, index) => `https://host-${index}.example`);
    const long = { directives: { imgSrc: hosts } };
    expect(() => compileSecurityHeaders({ contentSecurityPolicy: long })).to.not.throw();
    expect(() =>
      compileSecurityHeaders({
        contentSecurityPolicy: long,
        contentSecurityPolicyReportOnly: long,
      }),
    ).to.throw(RangeError, /at most 8192 characters/);
  });
});

describe("headers that report refuse", () => {
  const cases: readonly [string, unknown, RegExp][] = [
    [
      "an endpoint without TLS",
      { reportingEndpoints: { csp: "http://a.example/" } },
      /without TLS/,
    ],
    [
      "an endpoint of another origin by //",
      { reportingEndpoints: { csp: "//a.example/" } },
      /https/,
    ],
    ["a quote in an address", { reportingEndpoints: { csp: '/a", b="/c' } }, /refuses/],
    ["CR and LF in an address", { reportingEndpoints: { csp: "/a\r\nx: y" } }, /refuses/],
    ["an endpoint name that is no key", { reportingEndpoints: { "Csp x": "/a" } }, /name/],
    [
      "an endpoint that Reporting-Endpoints lacks, with the nearest",
      {
        reportingEndpoints: ENDPOINTS,
        contentSecurityPolicy: { directives: { reportTo: ["cps"] } },
      },
      /contentSecurityPolicy\.directives\.report-to reports to "cps".*did you mean "csp"/,
    ],
    [
      "the same for Integrity-Policy",
      { reportingEndpoints: ENDPOINTS, integrityPolicy: { endpoints: ["sri"] } },
      /integrityPolicy reports to "sri"/,
    ],
    [
      "the same for Cross-Origin-Opener-Policy",
      { reportingEndpoints: ENDPOINTS, crossOriginOpenerPolicy: { reportTo: "coop" } },
      /crossOriginOpenerPolicy\.reportTo reports to "coop"/,
    ],
    [
      "an opener policy tried out for nobody",
      { crossOriginOpenerPolicyReportOnly: { policy: "same-origin" } },
      /needs reportTo/,
    ],
    ["an unknown destination", { integrityPolicy: { blockedDestinations: ["image"] } }, /one of/],
    ["no destination", { integrityPolicy: { blockedDestinations: [] } }, /blocks nothing/],
    ["a misspelt feature", { documentPolicy: { "force-load-top": true } }, /force-load-at-top/],
    ["a feature that is no boolean", { documentPolicy: { "js-profiling": 1 } }, /true or false/],
    [
      "a report-only switch in the tried policy",
      { contentSecurityPolicyReportOnly: { reportOnly: true } },
      /no option "reportOnly"/,
    ],
    [
      "a list for reportTo",
      { permissionsPolicy: { usb: { allow: [], reportTo: ["a"] } } },
      /reportTo/,
    ],
  ];
  for (const [what, options, message] of cases) {
    it(what, () => {
      expect(() => compileSecurityHeaders(options as SecurityHeadersOptions)).to.throw(
        TypeError,
        message,
      );
    });
  }

  it("nothing where another layer may define the endpoints", () => {
    const options = { contentSecurityPolicy: { directives: { reportTo: ["elsewhere"] } } };
    expect(sent(options)["content-security-policy"]).to.include("report-to elsewhere");
  });
});
