import {
  compileSecurityHeaders,
  type ContentSecurityPolicyOptions,
  type SecurityHeadersOptions,
} from "@hauberk/headers";
import { expect } from "chai";
import { describe, it } from "mocha";
import { byName } from "../support/header-fields.ts";

function policyOf(contentSecurityPolicy: unknown, nonce?: string): string | undefined {
  const compiled = compileSecurityHeaders({ contentSecurityPolicy } as SecurityHeadersOptions);
  const fields =
    nonce === undefined
      ? compiled.fields({ secure: true })
      : compiled.fieldsWithNonce({ secure: true, nonce });
  return byName(fields)["content-security-policy"];
}

/** Returns the policy of these directives alone. */
function alone(directives: unknown, nonce?: string): string | undefined {
  return policyOf({ useDefaults: false, directives }, nonce);
}

const SHA256 = "sha256-n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=";

describe("contentSecurityPolicy", () => {
  it("replaces the preset's directives one by one and keeps their places", () => {
    const policy = policyOf({
      directives: { imgSrc: ["'self'", "https://images.example"], "frame-src": ["'none'"] },
    });
    expect(policy).to.equal(
      "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';" +
        "frame-ancestors 'self';img-src 'self' https://images.example;object-src 'none';" +
        "script-src 'self';script-src-attr 'none';style-src 'self' https: 'unsafe-inline';" +
        "upgrade-insecure-requests;frame-src 'none'",
    );
  });

  it("takes out a directive that is null", () => {
    expect(policyOf({ directives: { styleSrc: null } })).not.to.include("style-src ");
  });

  it("starts empty with useDefaults: false", () => {
    expect(alone({ defaultSrc: ["'self'"] })).to.equal("default-src 'self'");
  });

  it("takes a string or a Set for a list", () => {
    expect(alone({ defaultSrc: "'self'", imgSrc: new Set(["data:", "*.example.com:*"]) })).to.equal(
      "default-src 'self';img-src data: *.example.com:*",
    );
  });

  it("treats an undefined directive as absent", () => {
    expect(alone({ defaultSrc: ["'self'"], imgSrc: undefined })).to.equal("default-src 'self'");
  });

  it("is not sent when false", () => {
    expect(policyOf(false)).to.equal(undefined);
  });

  it("is the preset's when true", () => {
    expect(policyOf(true)).to.equal(policyOf(undefined));
  });

  it("reports only, under the other name and without what that cannot do", () => {
    const compiled = compileSecurityHeaders({ contentSecurityPolicy: { reportOnly: true } });
    const headers = byName(compiled.fields({ secure: true }));
    expect(headers).not.to.have.property("content-security-policy");
    expect(headers["content-security-policy-report-only"]).to.match(/^default-src 'self';/);
    expect(headers["content-security-policy-report-only"]).not.to.include("upgrade-insecure");
  });

  it("drops default-src for helmet's dangerouslyDisableDefaultSrc alone", () => {
    const symbol = Symbol("dangerouslyDisableDefaultSrc");
    expect(alone({ defaultSrc: symbol, imgSrc: ["'self'"] })).to.equal("img-src 'self'");
    expect(() => alone({ defaultSrc: Symbol("other") })).to.throw(TypeError, /Symbol\(other\)/);
    expect(() => alone({ imgSrc: symbol })).to.throw(TypeError, /imgSrc/);
  });

  for (const [name, value] of [
    ["upgradeInsecureRequests", []],
    ["sandbox", []],
    ["sandbox", ["allow-forms", "allow-scripts"]],
    ["reportUri", ["/reports/csp?site=1"]],
    ["reportTo", ["csp-endpoint"]],
    ["trustedTypes", ["default", "dompurify", "'allow-duplicates'"]],
    ["trustedTypes", []],
    ["requireTrustedTypesFor", ["'script'"]],
    ["webrtc", ["'block'"]],
    ["frameAncestors", ["'self'", "https://partner.example"]],
    ["connectSrc", ["wss://live.example:8443", "https://api.example/v1/", "*"]],
    ["scriptSrc", [`'${SHA256}'`, "'strict-dynamic'"]],
    ["mediaSrc", ["mediastream:", "blob:", "localhost:3000", "my_host.example"]],
  ] as const) {
    it(`accepts ${name} ${JSON.stringify(value)}`, () => {
      const directive = name.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
      expect(alone({ defaultSrc: ["'none'"], [name]: value })).to.equal(
        ["default-src 'none';" + directive, ...value].join(" "),
      );
    });
  }
});

describe("the 'nonce' entry", () => {
  it("becomes the nonce where there is one and nothing where there is none", () => {
    const directives = { defaultSrc: ["'self'"], scriptSrcElem: ["'self'", "'nonce'"] };
    expect(alone(directives, "abc")).to.equal(
      "default-src 'self';script-src-elem 'self' 'nonce-abc'",
    );
    expect(alone(directives)).to.equal("default-src 'self';script-src-elem 'self'");
  });

  it("becomes 'none' where it stood alone", () => {
    expect(alone({ defaultSrc: ["'self'"], styleSrc: ["'nonce'"] })).to.equal(
      "default-src 'self';style-src 'none'",
    );
  });

  it("takes 'unsafe-inline' with it, which browsers would else begin to honour", () => {
    const directives = {
      defaultSrc: ["'self'"],
      styleSrc: ["'self'", "'nonce'", "'unsafe-inline'"],
    };
    expect(alone(directives)).to.equal("default-src 'self';style-src 'self'");
    expect(alone(directives, "abc")).to.include("style-src 'self' 'nonce-abc' 'unsafe-inline'");
  });

  it("takes everything with it under 'strict-dynamic', which ignores hosts", () => {
    const scriptSrc = ["'nonce'", "'strict-dynamic'", "https:", "'unsafe-inline'"];
    const directives = { defaultSrc: ["'self'"], scriptSrc };
    expect(alone(directives)).to.equal("default-src 'self';script-src 'none'");
  });

  it("leaves 'strict-dynamic' to a hash that was written into the policy", () => {
    const scriptSrc = ["'nonce'", `'${SHA256}'`, "'strict-dynamic'"];
    expect(alone({ defaultSrc: ["'self'"], scriptSrc })).to.equal(
      `default-src 'self';script-src '${SHA256}' 'strict-dynamic'`,
    );
  });

  it("admits both kinds of hashes in default-src", () => {
    const compiled = compileSecurityHeaders({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'nonce'"] } },
    });
    const styles = ["sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="];
    const fields = compiled.fieldsWithHashes({
      secure: true,
      hashes: { scripts: [SHA256, SHA256], styles },
    });
    expect(byName(fields)["content-security-policy"]).to.equal(
      `default-src '${SHA256}' '${styles[0]}'`,
    );
  });
});

describe("contentSecurityPolicy refuses", () => {
  const refusals: readonly [string, unknown, RegExp][] = [
    ["a misspelt directive", { scritpSrc: ["'self'"] }, /"scritpSrc"; did you mean "script-src"/],
    ["a directive in capitals", { ScriptSrc: ["'self'"] }, /"ScriptSrc".*"script-src"/],
    ["a directive no browser has any more", { pluginTypes: ["a/b"] }, /no browser implements/],
    ["one directive in two spellings", { imgSrc: ["a.b"], "img-src": ["b.c"] }, /second time/],
    ["a misspelt keyword", { scriptSrc: ["'unsafe-inlin'"] }, /did you mean "'unsafe-inline'"/],
    ["a keyword without quotes", { scriptSrc: ["self"] }, /write "'self'"/],
    ["'none' without quotes", { objectSrc: ["none"] }, /write "'none'"/],
    ["a nonce without quotes", { scriptSrc: ["nonce-abc"] }, /without quotes/],
    ["a hash without quotes", { scriptSrc: [SHA256] }, /without quotes/],
    ["a hash whose quote does not end", { scriptSrc: [`'${SHA256}x`] }, /no such keyword/],
    ["a quote alone", { scriptSrc: ["'"] }, /no such keyword/],
    ["an address in quotes", { reportUri: ["'function-0'"] }, /no quotes/],
    ["an endpoint in quotes", { reportTo: ["'function-0'"] }, /endpoint name/],
    ["a host in quotes", { scriptSrc: ["'example.com'"] }, /no such keyword/],
    ["a scheme without colon", { imgSrc: ["data"] }, /write "data:"/],
    ["'none' beside others", { scriptSrc: ["'none'", "'self'"] }, /'none' means nothing/],
    ["'none' beside 'nonce'", { scriptSrc: ["'none'", "'nonce'"] }, /'none' means nothing/],
    ["'none' beside a function", { scriptSrc: ["'none'", () => "a.b"] }, /'none' means nothing/],
    ["CR and LF", { imgSrc: ["https://a.b\r\nset-cookie: x"] }, /"https:\/\/a.b\\r\\n/],
    ["a semicolon", { imgSrc: ["https://a.b/;script-src"] }, /%3B/],
    ["a comma", { imgSrc: ["https://a.b/,"] }, /%2C/],
    ["two sources in one entry", { imgSrc: ["https://a.b 'unsafe-inline'"] }, /white space/],
    ["a tab", { imgSrc: ["https://a.b\t*"] }, /white space/],
    ["a NUL", { imgSrc: ["https://a.b\0"] }, /visible ASCII/],
    ["a host outside ASCII", { imgSrc: ["https://münchen.example"] }, /punycode/],
    ["an empty entry", { imgSrc: [""] }, /must not be empty/],
    ["an empty list", { imgSrc: [] }, /list is empty/],
    ["a number", { imgSrc: [1] }, /must be a string/],
    ["a number for a list", { imgSrc: 1 }, /imgSrc must be a string, a list/],
    ["false", { imgSrc: false }, /imgSrc must be a string, a list/],
    ["a query", { imgSrc: ["https://a.b/?x"] }, /a source is/],
    ["a star inside a host", { imgSrc: ["https://a.*.b"] }, /a source is/],
    ["a hash of the wrong length", { scriptSrc: ["'sha384-abc='"] }, /digest of that length/],
    ["an unknown hash", { scriptSrc: ["'sha1-abc='"] }, /sha256, sha384 or sha512/],
    ["a nonce for all responses", { scriptSrc: ["'nonce-abc'"] }, /same for every response/],
    ["'nonce' for images", { imgSrc: ["'nonce'"] }, /script and style elements/],
    ["'strict-dynamic' alone", { scriptSrc: ["'strict-dynamic'", "https:"] }, /no script can run/],
    ["script keywords for frames", { frameAncestors: ["'unsafe-inline'"] }, /'self', 'none'/],
    ["a nonce for frames", { frameAncestors: ["'sha256-x'"] }, /'self', 'none'/],
    ["a misspelt sandbox token", { sandbox: ["allow-script"] }, /did you mean "allow-scripts"/],
    ["values of a flag", { upgradeInsecureRequests: ["1"] }, /takes no value/],
    ["functions of a flag", { upgradeInsecureRequests: [() => "1"] }, /takes no value/],
    ["two endpoints", { reportTo: ["a", "b"] }, /single value/],
    ["an endpoint in brackets", { reportTo: ["(a)"] }, /endpoint name/],
    ["a sink that is none", { requireTrustedTypesFor: ["'style'"] }, /'script'/],
    ["a policy name in quotes", { trustedTypes: ["'dompurify'"] }, /'allow-duplicates'/],
    ["removing default-src with null", { defaultSrc: null }, /needs default-src/],
    [
      "a source of 3,000 characters",
      { imgSrc: [`https://${"a".repeat(3000)}`] },
      /longer than 2048/,
    ],
  ];
  for (const [what, directives, message] of refusals) {
    it(what, () => {
      expect(() => policyOf({ directives })).to.throw(TypeError, message);
    });
  }

  it("an unknown option, with the nearest", () => {
    expect(() => policyOf({ reportonly: true })).to.throw(TypeError, /did you mean "reportOnly"/);
  });

  it("an option that is no boolean", () => {
    expect(() => policyOf({ reportOnly: "yes" })).to.throw(TypeError, /reportOnly.*"yes"/);
  });

  it("a policy without directives", () => {
    expect(() => alone({})).to.throw(TypeError, /no directives/);
  });

  it("a policy without default-src", () => {
    expect(() => alone({ imgSrc: ["'self'"] })).to.throw(TypeError, /needs default-src/);
  });

  it("a policy that proxies would drop", () => {
    const imgSrc = Array.from({ length: 600 }, (_, index) => `host-${index}.example`);
    expect(() => policyOf({ directives: { imgSrc } })).to.throw(RangeError, /at most 8192/);
  });

  it("an echo of more than 80 characters of the value", () => {
    const long = `https://${"a".repeat(200)}.example/;`;
    expect(() => policyOf({ directives: { imgSrc: [long] } })).to.throw(
      TypeError,
      /"https:\/\/a{72}\.\.\."/,
    );
  });
});

describe("ContentSecurityPolicyOptions", () => {
  it("does not compile with a misspelt directive", () => {
    // @ts-expect-error scritpSrc is no directive
    const options: ContentSecurityPolicyOptions = { directives: { scritpSrc: ["'self'"] } };
    expect(() => policyOf(options)).to.throw(TypeError);
  });
});
