import { createRequire } from "node:module";
import { join } from "node:path";
import { compileSecurityHeaders, createNonce, PRESETS } from "@hauberk/headers";
import { lintPolicy, type PolicyFinding } from "@hauberk/headers/lint";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { byName } from "../support/header-fields.ts";
import { repositoryRoot } from "../support/repository.ts";

const COMPLETE = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

function found(policy: string, rule: string): PolicyFinding | undefined {
  return lintPolicy(policy).find((finding) => finding.rule === rule);
}

describe("lintPolicy() finds", () => {
  const nonce = `'nonce-${createNonce()}'`;
  const cases: readonly [policy: string, severity: string, rule: string, value?: string][] = [
    ["scritp-src 'self'", "medium", "unknown-directive"],
    ["plugin-types a/b", "medium", "removed-directive"],
    ["img-src a; img-src b", "medium", "repeated-directive"],
    ["script-src 'unsafe-inlin'", "medium", "malformed-entry", "'unsafe-inlin'"],
    ["script-src self", "medium", "malformed-entry", "self"],
    ["script-src 'nonce-%%%'", "medium", "malformed-entry", "'nonce-%%%'"],
    ["default-src 'self' script-src", "medium", "malformed-entry", "script-src"],
    ["img-src 'none' data:", "medium", "contradicting-entries", "'none' data:"],
    ["script-src *", "high", "script-wildcard", "*"],
    ["script-src https://*", "high", "script-wildcard", "https://*"],
    ["script-src https://*:*", "high", "script-wildcard", "https://*:*"],
    ["default-src https://*:*", "high", "script-wildcard", "https://*:*"],
    ["script-src https:", "high", "script-scheme", "https:"],
    ["script-src data:", "high", "script-scheme", "data:"],
    ["script-src 'unsafe-inline'", "high", "script-unsafe-inline", "'unsafe-inline'"],
    [
      "script-src https://ajax.googleapis.com",
      "high",
      "script-bypass",
      "https://ajax.googleapis.com",
    ],
    ["script-src 'strict-dynamic'", "high", "strict-dynamic-alone", "'strict-dynamic'"],
    [`script-src ${nonce} 'unsafe-inline'`, "info", "void-entry", "'unsafe-inline'"],
    [`script-src ${nonce} 'strict-dynamic' https:`, "info", "void-entry", "https:"],
    ["script-src 'nonce-short'", "medium", "short-nonce", "'nonce-short'"],
    ["img-src 'self'", "medium", "no-default-src"],
    ["default-src 'self'", "medium", "no-frame-ancestors"],
    ["default-src 'self'", "low", "no-form-action"],
    ["form-action *", "medium", "form-wildcard", "*"],
    ["frame-ancestors *", "medium", "frame-wildcard", "*"],
    ["frame-ancestors https:", "medium", "frame-wildcard", "https:"],
    ["base-uri *", "high", "base-wildcard", "*"],
    ["img-src http://a.example", "medium", "plain-http", "http://a.example"],
    ["connect-src *", "low", "any-host", "*"],
    ["img-src 10.0.0.1", "low", "ip-address", "10.0.0.1"],
    ["style-src 'unsafe-inline'", "low", "style-unsafe-inline", "'unsafe-inline'"],
    ["sandbox allow-scripts allow-same-origin", "medium", "sandbox-escape"],
    ["child-src a; frame-src a; worker-src a", "info", "void-directive"],
    ["report-to csp", "info", "report-to-alone"],
    ["default-src 'self'", "info", "no-reports"],
    ["default-src 'self', img-src a", "info", "several-policies"],
    [`img-src ${"https://a.example ".repeat(240)}`, "medium", "long-policy"],
    [`img-src ${"https://a.example ".repeat(480)}`, "high", "long-policy"],
  ];
  for (const [policy, severity, rule, value] of cases) {
    it(`${rule} (${severity}) in ${policy.slice(0, 60)}`, () => {
      const finding = found(policy, rule);
      expect(finding).to.include({ rule, severity, value });
      expect(finding?.reason).to.match(/\S/);
      expect(finding?.fix).to.match(/\S/);
    });
  }
});

describe("lintPolicy()", () => {
  it("is silent about a policy without fault", () => {
    expect(
      lintPolicy(`${COMPLETE}; require-trusted-types-for 'script'; report-to a; report-uri /a`),
    ).to.deep.equal([]);
  });

  it("does not take what is newer than csp_evaluator for misspelt", () => {
    const policy = `${COMPLETE}; fenced-frame-src 'none'; script-src 'trusted-types-eval' 'report-sha256'`;
    expect(lintPolicy(policy).filter(({ severity }) => severity === "medium")).to.deep.equal([]);
  });

  it("names each finding once, where csp_evaluator repeats it per source", () => {
    const texts = lintPolicy("script-src 'self' https://cdn.example 'unsafe-eval'").map((finding) =>
      JSON.stringify(finding),
    );
    expect(texts).to.deep.equal([...new Set(texts)]);
  });

  it("puts the gravest first", () => {
    const order = ["high", "medium", "low", "info"];
    const severities = lintPolicy("script-src *; img-src *; report-to a").map(({ severity }) =>
      order.indexOf(severity),
    );
    expect(severities).to.deep.equal(severities.toSorted((a, b) => a - b));
  });

  it("calls a policy that only reports, to nobody, pointless", () => {
    const findings = lintPolicy(COMPLETE, { reportOnly: true });
    expect(findings.find(({ rule }) => rule === "no-reports")?.severity).to.equal("medium");
  });

  it("reads directives as data, a nonce's place included", () => {
    expect(lintPolicy(PRESETS.strict.contentSecurityPolicy).map(({ rule }) => rule)).to.deep.equal([
      "no-reports",
    ]);
  });

  for (const preset of ["site", "strict", "spa", "api"] as const) {
    it(`finds nothing above low in the preset ${preset}`, () => {
      const severities = lintPolicy(PRESETS[preset].contentSecurityPolicy).map(
        (one) => one.severity,
      );
      expect(severities).to.not.include("high");
      expect(severities).to.not.include("medium");
    });
  }

  it("throws for no text at all", () => {
    const word = fc.oneof(
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.constantFrom(
        "script-src",
        "default-src",
        "'nonce-%%%'",
        "https://*:*",
        "http://[",
        "*:99999",
        "//",
        "://",
        "1.2.3.999",
        "__proto__",
        "constructor",
        "'none'",
        ";",
        ",",
        "\0",
        "xn--",
        "a..b",
        "https://a:b@c",
        "*.*.*",
        "object-src",
      ),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        expect(() => lintPolicy(words.join(" "))).to.not.throw();
      }),
      { numRuns: 1000 },
    );
  });
});

describe("csp_evaluator itself", () => {
  // The copy that the package uses, which the workspace does not depend on by itself.
  const require = createRequire(join(repositoryRoot, "packages", "headers", "package.json"));
  const evaluator = "csp_evaluator";
  const { CspEvaluator, DEFAULT_CHECKS, STRICTCSP_CHECKS } = require(evaluator) as {
    CspEvaluator: new (csp: object) => {
      evaluate(a: unknown, b: unknown[]): { severity: number }[];
    };
    DEFAULT_CHECKS: unknown[];
    STRICTCSP_CHECKS: unknown[];
  };
  const { CspParser } = require(`${evaluator}/dist/parser.js`) as {
    CspParser: new (text: string) => { csp: object };
  };
  const INFO = 60;

  function severities(text: string, checks: unknown[]): number[] {
    return new CspEvaluator(new CspParser(text).csp)
      .evaluate([], checks)
      .map((one) => one.severity);
  }

  it("has no finding above INFO for strict, with a nonce, a hash or neither", () => {
    const headers = compileSecurityHeaders({ preset: "strict" });
    const hashes = { scripts: ["sha256-n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="], styles: [] };
    for (const fields of [
      headers.fields({ secure: true }),
      headers.fieldsWithNonce({ secure: true, nonce: createNonce() }),
      headers.fieldsWithHashes({ secure: true, hashes }),
    ]) {
      const text = byName(fields)["content-security-policy"] ?? "";
      expect(severities(text, DEFAULT_CHECKS).filter((severity) => severity < INFO)).to.deep.equal(
        [],
      );
    }
  });

  it("sees in helmet's own policy what it does not see in strict", () => {
    const text = "default-src 'self'; script-src 'self'; object-src 'none'";
    expect(Math.min(...severities(text, [...DEFAULT_CHECKS, ...STRICTCSP_CHECKS]))).to.be.below(
      INFO,
    );
  });
});
