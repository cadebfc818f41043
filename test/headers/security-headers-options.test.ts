import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import {
  compileSecurityHeaders,
  securityHeaders,
  type SecurityHeadersOptions,
} from "@hauberk/headers";
import { expect } from "chai";
import { describe, it } from "mocha";
import { byName } from "../support/header-fields.ts";

function sent(options: unknown): Record<string, string> {
  const compiled = compileSecurityHeaders(options as SecurityHeadersOptions);
  return byName(compiled.fields({ secure: true }));
}

describe("SecurityHeadersOptions", () => {
  const values: readonly [unknown, string, string | undefined][] = [
    [{ crossOriginEmbedderPolicy: true }, "cross-origin-embedder-policy", "require-corp"],
    [
      { crossOriginEmbedderPolicy: { policy: "credentialless" } },
      "cross-origin-embedder-policy",
      "credentialless",
    ],
    [
      { preset: "strict", crossOriginEmbedderPolicy: false },
      "cross-origin-embedder-policy",
      undefined,
    ],
    [{ preset: "api", crossOriginOpenerPolicy: {} }, "cross-origin-opener-policy", "same-origin"],
    [
      { crossOriginOpenerPolicy: { policy: "same-origin-allow-popups" } },
      "cross-origin-opener-policy",
      "same-origin-allow-popups",
    ],
    [
      { crossOriginResourcePolicy: { policy: "cross-origin" } },
      "cross-origin-resource-policy",
      "cross-origin",
    ],
    [{ originAgentCluster: false }, "origin-agent-cluster", undefined],
    [{ preset: "api", originAgentCluster: true }, "origin-agent-cluster", "?1"],
    [{ referrerPolicy: { policy: "same-origin" } }, "referrer-policy", "same-origin"],
    [
      { referrerPolicy: { policy: ["no-referrer", "strict-origin"] } },
      "referrer-policy",
      "no-referrer,strict-origin",
    ],
    [{ referrerPolicy: false }, "referrer-policy", undefined],
    [{ xContentTypeOptions: false }, "x-content-type-options", undefined],
    [{ noSniff: false }, "x-content-type-options", undefined],
    [{ xDnsPrefetchControl: { allow: true } }, "x-dns-prefetch-control", "on"],
    [{ dnsPrefetchControl: false }, "x-dns-prefetch-control", undefined],
    [{ preset: "api", xDnsPrefetchControl: true }, "x-dns-prefetch-control", "off"],
    [{ ieNoOpen: false }, "x-download-options", undefined],
    [
      { permittedCrossDomainPolicies: { permittedPolicies: "by-content-type" } },
      "x-permitted-cross-domain-policies",
      "by-content-type",
    ],
    [{ xssFilter: false }, "x-xss-protection", undefined],
    [{ xXssProtection: undefined }, "x-xss-protection", "0"],
    [{ hsts: { maxAge: 300 } }, "strict-transport-security", "max-age=300; includeSubDomains"],
  ];
  for (const [options, name, value] of values) {
    it(`${JSON.stringify(options)} sends ${name}: ${value ?? "(nothing)"}`, () => {
      expect(sent(options)[name]).to.equal(value);
    });
  }

  const refusals: readonly [string, unknown, RegExp][] = [
    ["null", null, /must be an object, got null/],
    ["an array", [], /must be an object/],
    ["an unknown preset", { preset: "strct" }, /"strct"; did you mean "strict"/],
    [
      "a misspelt option",
      { contentSecurityPolcy: {} },
      /"contentSecurityPolcy"; did you mean "contentSecurityPolicy"/,
    ],
    ["an option nothing resembles", { qqqqqqqqqqqq: 1 }, /no option "qqqqqqqqqqqq"$/],
    ["a null option", { noSniff: null }, /noSniff must not be null/],
    ["an option and its alias", { hsts: true, strictTransportSecurity: true }, /given twice/],
    ["a boolean that is none", { xPoweredBy: "no" }, /xPoweredBy must be true or false, got "no"/],
    [
      "an unknown keyword",
      { crossOriginOpenerPolicy: { policy: "same-orgin" } },
      /crossOriginOpenerPolicy\.policy.*did you mean "same-origin"/,
    ],
    ["an unknown sub-option", { referrerPolicy: { polcy: "origin" } }, /"polcy".*"policy"/],
    ["no referrer policy", { referrerPolicy: { policy: [] } }, /must name a policy/],
    ["one twice", { referrerPolicy: { policy: ["origin", "origin"] } }, /twice/],
    ["an unknown one", { referrerPolicy: { policy: "no-refererer" } }, /"no-referrer"\?$/],
    ["a string for a header", { referrerPolicy: "origin" }, /must be an object, got "origin"/],
    [
      "X-Frame-Options ALLOW-FROM",
      { frameguard: { action: "allow-from" } },
      /"sameorigin", "deny"/,
    ],
  ];
  for (const [what, options, message] of refusals) {
    it(`refuses ${what}`, () => {
      expect(() => sent(options)).to.throw(TypeError, message);
    });
  }

  it("notices app.use(securityHeaders) without the call", () => {
    const request = new IncomingMessage(new Socket());
    expect(() => securityHeaders(request as SecurityHeadersOptions)).to.throw(
      TypeError,
      /app\.use\(securityHeaders\(\)\)/,
    );
  });

  it("takes an object without prototype", () => {
    const options: unknown = Object.assign(Object.create(null), { xssFilter: false });
    expect(sent(options)).not.to.have.property("x-xss-protection");
  });
});

function hsts(strictTransportSecurity: unknown): string | undefined {
  return sent({ strictTransportSecurity })["strict-transport-security"];
}

describe("strictTransportSecurity", () => {
  it("keeps the preset's value for what is left out", () => {
    expect(hsts({ includeSubDomains: false })).to.equal("max-age=63072000");
  });

  it("lets browsers forget the host with 0", () => {
    expect(hsts({ maxAge: 0 })).to.equal("max-age=0; includeSubDomains");
  });

  it("is not sent when false", () => {
    expect(hsts(false)).to.equal(undefined);
  });

  it("asks for preloading at a year", () => {
    expect(hsts({ maxAge: 31_536_000, preload: true })).to.equal(
      "max-age=31536000; includeSubDomains; preload",
    );
  });

  for (const maxAge of [-1, 1.5, Number.NaN, Infinity, 315_360_001]) {
    it(`refuses ${maxAge} seconds`, () => {
      expect(() => hsts({ maxAge })).to.throw(RangeError, /maxAge must be a whole number/);
    });
  }

  it("refuses preload below a year, which the list would refuse", () => {
    expect(() => hsts({ maxAge: 31_535_999, preload: true })).to.throw(RangeError, /31536000/);
  });

  it("refuses preload without subdomains", () => {
    expect(() => hsts({ preload: true, includeSubDomains: false })).to.throw(
      TypeError,
      /needs includeSubDomains/,
    );
  });

  it("refuses a text for a number", () => {
    expect(() => hsts({ maxAge: "1" })).to.throw(TypeError, /number of seconds, got "1"/);
  });

  it("refuses includeSubdomains, with the right spelling", () => {
    expect(() => hsts({ includeSubdomains: true })).to.throw(
      TypeError,
      /did you mean "includeSubDomains"/,
    );
  });
});

interface Framing {
  readonly action: string | undefined;
  readonly ancestors: string | undefined;
}

function framing(options: unknown): Framing {
  const headers = sent(options);
  const policy = headers["content-security-policy"] ?? "";
  return {
    action: headers["x-frame-options"],
    ancestors: /frame-ancestors ([^;]*)/.exec(policy)?.[1],
  };
}

function ancestors(...frameAncestors: string[]): object {
  return { contentSecurityPolicy: { directives: { frameAncestors } } };
}

describe("xFrameOptions and frame-ancestors", () => {
  it("follow frame-ancestors when it alone is given", () => {
    expect(framing(ancestors("'none'"))).to.deep.equal({ action: "DENY", ancestors: "'none'" });
    expect(framing({ preset: "strict", ...ancestors("'self'") }).action).to.equal("SAMEORIGIN");
  });

  it("follow X-Frame-Options when it alone is given", () => {
    expect(framing({ frameguard: { action: "deny" } })).to.deep.equal({
      action: "DENY",
      ancestors: "'none'",
    });
    expect(framing({ preset: "strict", xFrameOptions: { action: "SAME-ORIGIN" } })).to.deep.equal({
      action: "SAMEORIGIN",
      ancestors: "'self'",
    });
  });

  it("leave X-Frame-Options out when it cannot say what frame-ancestors says", () => {
    expect(framing(ancestors("https://partner.example"))).to.deep.equal({
      action: undefined,
      ancestors: "https://partner.example",
    });
  });

  it("keep the preset's X-Frame-Options without frame-ancestors", () => {
    const contentSecurityPolicy = { directives: { frameAncestors: null } };
    expect(framing({ contentSecurityPolicy })).to.deep.equal({
      action: "SAMEORIGIN",
      ancestors: undefined,
    });
    expect(framing({ contentSecurityPolicy: false }).action).to.equal("SAMEORIGIN");
  });

  it("keep X-Frame-Options apart from a policy that only reports", () => {
    const headers = sent({
      xFrameOptions: { action: "deny" },
      contentSecurityPolicy: { reportOnly: true },
    });
    expect(headers["x-frame-options"]).to.equal("DENY");
    expect(headers["content-security-policy-report-only"]).to.include("frame-ancestors 'self'");
  });

  it("accept both when they agree", () => {
    const options = { xFrameOptions: { action: "deny" }, ...ancestors("'none'") };
    expect(framing(options)).to.deep.equal({ action: "DENY", ancestors: "'none'" });
  });

  it("keep frame-ancestors when X-Frame-Options is switched off", () => {
    expect(framing({ xFrameOptions: false })).to.deep.equal({
      action: undefined,
      ancestors: "'self'",
    });
  });

  for (const [action, list] of [
    ["deny", ["'self'"]],
    ["sameorigin", ["'none'"]],
    ["sameorigin", ["'self'", "https://partner.example"]],
  ] as const) {
    it(`refuse ${action} with ${list.join(" ")}`, () => {
      expect(() => framing({ xFrameOptions: { action }, ...ancestors(...list) })).to.throw(
        TypeError,
        /contradicts frame-ancestors/,
      );
    });
  }
});

function permissions(permissionsPolicy: unknown): string | undefined {
  return sent({ preset: "api", permissionsPolicy })["permissions-policy"];
}

describe("permissionsPolicy", () => {
  it("is a structured-field dictionary of inner lists", () => {
    expect(
      permissions({
        geolocation: ["self", "https://maps.example:8443"],
        camera: [],
        fullscreen: ["*"],
        "sync-xhr": ["https://*.example.com"],
      }),
    ).to.equal(
      'camera=(), fullscreen=*, geolocation=(self "https://maps.example:8443"), ' +
        'sync-xhr=("https://*.example.com")',
    );
  });

  it("replaces the preset's features one by one", () => {
    const value = sent({ permissionsPolicy: { geolocation: ["self"] } })["permissions-policy"];
    expect(value).to.include("camera=(), ").and.to.include("geolocation=(self), ");
  });

  it("is not sent without a feature", () => {
    expect(permissions({})).to.equal(undefined);
    expect(sent({ permissionsPolicy: false })).not.to.have.property("permissions-policy");
  });

  const refusals: readonly [string, unknown, RegExp][] = [
    ["a misspelt feature", { geolocaton: [] }, /"geolocaton"; did you mean "geolocation"/],
    ["a text for a list", { camera: "self" }, /camera must be an array/],
    ["null for a list", { camera: null }, /camera must be an array/],
    ["keywords in CSP's quotes", { camera: ["'self'"] }, /quotes no keyword/],
    ["'none' in CSP's quotes", { camera: ["'none'"] }, /\[\] for nobody/],
    ["* beside others", { camera: ["*", "self"] }, /nothing else beside "\*"/],
    ["an origin with a path", { camera: ["https://a.example/"] }, /an origin/],
    ["an origin that ends the string", { camera: ['https://a.example" *'] }, /an origin/],
    ["an origin with CR and LF", { camera: ["https://a.example\r\nx: y"] }, /an origin/],
    ["an origin outside ASCII", { camera: ["https://münchen.example"] }, /ASCII/],
    ["a scheme without consent", { camera: ["javascript://a"] }, /an origin/],
  ];
  for (const [what, options, message] of refusals) {
    it(`refuses ${what}`, () => {
      expect(() => permissions(options)).to.throw(TypeError, message);
    });
  }
});
