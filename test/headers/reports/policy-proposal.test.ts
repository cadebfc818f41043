import { compileSecurityHeaders } from "@hauberk/headers";
import { proposePolicy, type PolicyProposal, type ReportEntry } from "@hauberk/headers/reports";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { byName } from "../../support/header-fields.ts";
import { reportEntry } from "../../support/report-entries.ts";

const POLICY =
  "default-src 'self'; script-src 'self'; img-src 'self' data:; object-src 'none'; frame-src 'none'";

function propose(entry: Partial<ReportEntry>, policy = POLICY): PolicyProposal {
  return proposePolicy({ policy, entries: [reportEntry(entry)], minReporters: 1 });
}

describe("proposePolicy()", () => {
  for (const [entry, diff] of [
    [{}, "  img-src\n+   https://cdn.example"],
    [
      { directive: "connect-src", blocked: "wss://live.example/socket" },
      "  connect-src\n+   wss://live.example",
    ],
    [
      { directive: "connect-src", blocked: "https://api.example:8443/v1" },
      "  connect-src\n+   https://api.example:8443",
    ],
    [
      { directive: "script-src-elem", blocked: "https://cdn.example/lib.js" },
      "  script-src\n+   https://cdn.example/lib.js",
    ],
    [
      { directive: "frame-src", blocked: "https://maps.example/embed" },
      "  frame-src\n-   'none'\n+   https://maps.example",
    ],
    [{ directive: "font-src", blocked: "data:" }, "  font-src\n+   data:"],
    [
      { directive: "style-src-elem", blocked: "https://cdn.example/a.css" },
      "  style-src\n+   https://cdn.example",
    ],
    [
      { directive: "worker-src", blocked: "https://cdn.example/w.js" },
      "  worker-src\n+   https://cdn.example/w.js",
    ],
    [{ directive: "script-src", blocked: "wasm-eval" }, "  script-src\n+   'wasm-unsafe-eval'"],
  ] as const) {
    it(`for ${entry.directive ?? "img-src"} and ${entry.blocked ?? "an image"} adds the narrowest source`, () => {
      const proposal = propose(entry);
      expect(proposal.diff).to.equal(diff);
      expect(proposal.declined).to.deep.equal([]);
    });
  }

  it("proposes 'self' for what the page's own origin has", () => {
    const proposal = propose(
      { blocked: "https://site.example/a.png" },
      "img-src https://cdn.example",
    );
    expect(proposal.policy).to.equal("img-src https://cdn.example 'self'");
  });

  it("gives a directive of its own what default-src decided, and leaves default-src alone", () => {
    const proposal = propose({ directive: "media-src", blocked: "https://cdn.example/a.mp4" });
    expect(proposal.policy).to.equal(`${POLICY}; media-src 'self' https://cdn.example`);
  });

  it("never opens script-src for a worker", () => {
    const proposal = propose(
      { directive: "worker-src", blocked: "https://cdn.example/w.js" },
      "script-src 'self'",
    );
    expect(proposal.policy).to.equal(
      "script-src 'self'; worker-src 'self' https://cdn.example/w.js",
    );
  });

  it("warns about a source that may run code, and names the pages", () => {
    const [change] = propose({
      directive: "script-src-elem",
      blocked: "https://cdn.example/a.js",
    }).changes;
    expect(change?.caution).to.match(/make sure that you load it/);
    expect(change?.pages).to.deep.equal(["https://site.example/"]);
  });

  for (const [name, entry, reason] of [
    ["an inline script", { directive: "script-src-elem", blocked: "inline" }, /nonce/],
    ["an event handler", { directive: "script-src-attr", blocked: "inline" }, /addEventListener/],
    ["a style attribute", { directive: "style-src-attr", blocked: "inline" }, /class/],
    ["eval()", { directive: "script-src", blocked: "eval" }, /run as code/],
    ["a data: script", { directive: "script-src-elem", blocked: "data:" }, /scheme data:/],
    ["a blob: script", { directive: "script-src-elem", blocked: "blob:" }, /scheme blob:/],
    ["a plug-in", { directive: "object-src", blocked: "https://a.example/x" }, /plugins/],
    ["a <base>", { directive: "base-uri", blocked: "https://a.example/" }, /base/],
    ["an embedding page", { directive: "frame-ancestors", blocked: "https://a.example/" }, /frame/],
    [
      "a text for a sink",
      { directive: "require-trusted-types-for", blocked: "trusted-types-sink" },
      /sink/,
    ],
    ["plain HTTP", { blocked: "http://cdn.example/a.png" }, /TLS/],
    ["an address not said", { blocked: "" }, /did not say/],
    ["what is admitted already", { blocked: "data:" }, /already/],
  ] as const) {
    it(`proposes nothing for ${name}, and says why`, () => {
      const full = `${POLICY}; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'`;
      const { changes, diff, declined, policy } = propose(entry, full);
      expect(changes).to.deep.equal([]);
      expect(diff).to.equal("");
      expect(policy).to.equal(full);
      expect(declined.map((one) => one.reason)).to.have.lengthOf(1);
      expect(declined[0]?.reason).to.match(reason);
    });
  }

  it("proposes nothing for what this policy does not restrict", () => {
    const { declined } = propose({ directive: "form-action", blocked: "https://a.example/" });
    expect(declined[0]?.reason).to.match(/does not restrict/);
  });

  it("proposes no address beside 'strict-dynamic', where it would say nothing", () => {
    const fields = compileSecurityHeaders({ preset: "strict" }).fieldsWithNonce({
      secure: true,
      nonce: "abc",
    });
    const policy = byName(fields)["content-security-policy"] ?? "";
    const { changes, declined } = propose(
      { directive: "script-src-elem", blocked: "https://cdn.example/a.js" },
      policy,
    );
    expect(changes).to.deep.equal([]);
    expect(declined[0]?.reason).to.match(/nonce or an integrity/);
  });

  it("waits for three clients, counted over pages, before it proposes anything", () => {
    const [one, two, three] = ["a", "b", "c"].map((client) =>
      reportEntry({ page: `https://site.example/${client}`, reporters: [client] }),
    ) as [ReportEntry, ReportEntry, ReportEntry];
    const early = proposePolicy({ policy: POLICY, entries: [one, two] });
    expect(early.changes).to.deep.equal([]);
    expect(early.declined[0]?.reason).to.equal("reported by 2 of the 3 clients that are needed");
    const { changes } = proposePolicy({ policy: POLICY, entries: [one, two, three] });
    expect(changes).to.have.lengthOf(1);
    expect(changes[0]).to.include({ source: "https://cdn.example", count: 3, reporters: 3 });
  });

  it("does not count one client's thousand reports for many", () => {
    const entry = reportEntry({ count: 1000, reporters: ["client-1"] });
    expect(proposePolicy({ policy: POLICY, entries: [entry] }).changes).to.deep.equal([]);
  });

  it("leaves reports about other headers out", () => {
    const { changes, declined } = propose({ kind: "coep", directive: "image" });
    expect([...changes, ...declined]).to.deep.equal([]);
  });

  it("lets nothing that was reported add another source or directive (attack)", () => {
    const hostile = fc.oneof(
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.constantFrom(
        "https://a.example/;script-src *",
        "https://a.example/, default-src *",
        "https://a.example/ 'unsafe-inline'",
        "https://a.example/\r\nset-cookie: a=b",
        "https://a.example;x/",
        "'unsafe-inline'",
        "*",
        "https:",
        "https://*/",
        "https://*.com/a.js",
        "wss://*:443/",
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(
        hostile,
        fc.constantFrom("img-src", "script-src-elem", "connect-src"),
        (blocked, directive) => {
          const { policy } = propose({ blocked, directive });
          const known = POLICY.split(/;? /);
          const added = policy.split(/;? /).filter((word) => !known.includes(word));
          const expected =
            /^(?:connect-src|(?:https|wss):\/\/[a-z0-9.-]+(?::\d+)?(?:\/[^\s;,]*)?)$/;
          expect(added.filter((word) => !expected.test(word))).to.deep.equal([]);
          expect(added).to.have.length.lessThan(3);
        },
      ),
    );
  });

  for (const [options, message] of [
    [{ policy: "a", entries: [], minReporter: 1 }, /minReporter.*did you mean "minReporters"/],
    [{ policy: undefined, entries: [] }, /policy/],
    [{ policy: "default-src 'self', img-src *", entries: [] }, /single policy/],
  ] as const) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      expect(() => proposePolicy(options as never)).to.throw(TypeError, message);
    });
  }

  for (const minReporters of [0, 17, 1.5]) {
    it(`refuses ${minReporters} for minReporters`, () => {
      expect(() => proposePolicy({ policy: POLICY, entries: [], minReporters })).to.throw(
        RangeError,
      );
    });
  }
});
