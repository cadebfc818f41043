import type { IncomingMessage, ServerResponse } from "node:http";
import {
  compileSecurityHeaders,
  diffPolicies,
  formatPolicyDiff,
  mergePolicy,
  PRESETS,
  securityHeaders,
  type ContentSecurityPolicyDirectives,
} from "@hauberk/headers";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { byName } from "../support/header-fields.ts";
import { askListener } from "../support/one-listener.ts";

const BASE = {
  "default-src": ["'self'"],
  "img-src": ["'none'"],
  "script-src": ["'self'", "'nonce'"],
};

function policyOf(directives: ContentSecurityPolicyDirectives): string | undefined {
  const options = { contentSecurityPolicy: { useDefaults: false, directives } };
  return byName(compileSecurityHeaders(options).fields({ secure: true }))[
    "content-security-policy"
  ];
}

describe("mergePolicy()", () => {
  const cases: readonly [string, ContentSecurityPolicyDirectives, Record<string, unknown>][] = [
    [
      "adds a source",
      { scriptSrc: ["https://a.example"] },
      { "script-src": ["'self'", "'nonce'", "https://a.example"] },
    ],
    ["adds a source once", { scriptSrc: ["'self'"] }, { "script-src": ["'self'", "'nonce'"] }],
    ["puts a source in the place of 'none'", { imgSrc: ["data:"] }, { "img-src": ["data:"] }],
    ["closes a directive with 'none'", { scriptSrc: ["'none'"] }, { "script-src": ["'none'"] }],
    ["removes a directive with null", { imgSrc: null }, { "img-src": null }],
    [
      "adds to what default-src allowed, and does not replace it",
      { connectSrc: ["https://a.example"] },
      { "connect-src": ["'self'", "https://a.example"] },
    ],
    [
      "adds to what script-src allowed where script-src-elem is new",
      { scriptSrcElem: ["https://a.example"] },
      { "script-src-elem": ["'self'", "'nonce'", "https://a.example"] },
    ],
    [
      "carries no nonce to where nothing is inline",
      { workerSrc: ["blob:"] },
      { "worker-src": ["'self'", "blob:"] },
    ],
    [
      "names receivers that nothing restricted",
      { formAction: ["'self'"] },
      { "form-action": ["'self'"] },
    ],
    ["keeps a flag a flag", { upgradeInsecureRequests: [] }, { "upgrade-insecure-requests": [] }],
  ];
  for (const [what, change, expected] of cases) {
    it(what, () => {
      expect(mergePolicy(BASE, change)).to.deep.equal({ ...BASE, ...expected });
    });
  }

  it("replaces the endpoint, for there is only one", () => {
    const merged = mergePolicy({ ...BASE, reportTo: "a" }, { reportTo: ["b"] });
    expect(merged).to.have.property("report-to").that.deep.equals(["b"]);
  });

  it("keeps the functions of both", () => {
    const one = (): string => "https://one.example";
    const two = (): string => "https://two.example";
    const merged = mergePolicy({ imgSrc: ["'self'", one] }, { imgSrc: [two] });
    expect(merged).to.deep.equal({ "img-src": ["'self'", one, two] });
  });

  it("changes neither of its arguments", () => {
    const before = structuredClone(BASE);
    mergePolicy(BASE, { imgSrc: ["data:"] });
    expect(BASE).to.deep.equal(before);
  });

  it("takes a preset and gives a policy that is sent as it is", () => {
    const merged = mergePolicy(PRESETS.strict.contentSecurityPolicy, {
      imgSrc: ["https://img.example"],
    });
    expect(policyOf(merged)).to.include(";img-src 'self' data: https://img.example;");
  });

  it("refuses a misspelt directive and a malformed entry", () => {
    expect(() => mergePolicy(BASE, { imgScr: [] } as object)).to.throw(
      TypeError,
      /"imgSrc"|img-src/,
    );
    expect(() => mergePolicy(BASE, { imgSrc: ["a b"] })).to.throw(TypeError, /change\.imgSrc/);
  });

  it("never allows less than the base did, whatever sources are added", () => {
    const names = ["default-src", "img-src", "script-src", "style-src-attr", "frame-src"] as const;
    const sources = fc.uniqueArray(
      fc.constantFrom("'self'", "data:", "https://a.example", "'none'"),
      {
        minLength: 1,
      },
    );
    const lists = sources.map((list) =>
      list.length > 1 ? list.filter((s) => s !== "'none'") : list,
    );
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...names), lists),
        fc.constantFrom(...names),
        (base, name) => {
          const merged = mergePolicy(base, { [name]: ["https://new.example"] });
          const losses = diffPolicies(base, merged).filter(({ directive, removed }) =>
            directive === name ? removed.some((entry) => entry !== "'none'") : removed.length > 0,
          );
          const isFirstRestriction = diffPolicies(base, merged).some(
            ({ kind }) => kind === "restricted",
          );
          if (!isFirstRestriction) expect(losses).to.deep.equal([]);
        },
      ),
    );
  });
});

describe("diffPolicies()", () => {
  it("names what was added and removed, directive by directive", () => {
    expect(diffPolicies("img-src 'self' a.example", "img-src 'self' b.example")).to.deep.equal([
      { directive: "img-src", kind: "changed", added: ["b.example"], removed: ["a.example"] },
    ]);
  });

  it("sees no difference in spelling out what default-src says", () => {
    expect(diffPolicies("default-src 'self'", "default-src 'self'; img-src 'self'")).to.deep.equal(
      [],
    );
  });

  it("sees no difference in order, case of names or white space", () => {
    expect(diffPolicies("IMG-SRC  a b", "img-src b a ;")).to.deep.equal([]);
  });

  it("tells a first restriction from a wider one", () => {
    expect(diffPolicies("img-src a", "form-action 'self'").map(({ kind }) => kind)).to.deep.equal([
      "unrestricted",
      "restricted",
    ]);
  });

  it("is empty between a policy and itself, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(diffPolicies(text, text)).to.deep.equal([]);
      }),
    );
  });

  it("reads as a diff", () => {
    const text = formatPolicyDiff(diffPolicies("img-src a c", "img-src b c;base-uri 'self'"));
    expect(text).to.equal(
      ["  img-src", "-   a", "+   b", "  base-uri (unrestricted before)", "+   'self'"].join("\n"),
    );
  });
});

describe("securityHeaders().extend()", () => {
  it("adds to the base for some routes, under the same nonce, and shows the difference", async () => {
    const base = securityHeaders({ preset: "strict" });
    const maps = base.extend({ imgSrc: ["https://tiles.example"] });
    const [reply] = await askListener(
      "http",
      (request: IncomingMessage, response: ServerResponse) => {
        base(request, response, () => {
          maps(request, response, () => response.end());
        });
      },
    );
    const policy = String(reply?.headers["content-security-policy"]);
    expect(policy).to.include("img-src 'self' data: https://tiles.example;");
    expect(policy).to.match(/script-src 'nonce-[\w-]{24}' 'strict-dynamic'/);
    expect(base.changes).to.deep.equal([]);
    expect(maps.changes).to.deep.equal([
      { directive: "img-src", kind: "changed", added: ["https://tiles.example"], removed: [] },
    ]);
  });

  it("extends again", () => {
    const twice = securityHeaders()
      .extend({ imgSrc: ["https://a.example"] })
      .extend({ imgSrc: ["https://b.example"] });
    expect(twice.policy["img-src"]).to.deep.equal([
      "'self'",
      "data:",
      "https://a.example",
      "https://b.example",
    ]);
  });

  it("keeps a policy without default-src without it", () => {
    const symbol = Symbol("dangerouslyDisableDefaultSrc");
    const directives = { defaultSrc: symbol, imgSrc: ["'self'"] };
    const extended = securityHeaders({
      contentSecurityPolicy: { useDefaults: false, directives },
    }).extend({ imgSrc: ["data:"] });
    expect(policyOf(extended.policy)).to.equal("img-src 'self' data:");
  });

  it("refuses at construction what contradicts X-Frame-Options", () => {
    const base = securityHeaders({ xFrameOptions: { action: "deny" } });
    expect(() => base.extend({ frameAncestors: ["https://a.example"] })).to.throw(
      TypeError,
      /contradicts frame-ancestors/,
    );
  });

  it("refuses where there is no policy", () => {
    expect(() => securityHeaders({ contentSecurityPolicy: false }).extend({})).to.throw(
      TypeError,
      /switched off/,
    );
  });
});
