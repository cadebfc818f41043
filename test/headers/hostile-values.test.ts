import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { compileSecurityHeaders, securityHeaders } from "@hauberk/headers";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { byName } from "../support/header-fields.ts";

const POLICY = "content-security-policy";
const BASELINE = directiveNames(byName(compileSecurityHeaders().fields({ secure: true }))[POLICY]);

/** Text full of what ends a source, a directive, a policy or a header. */
const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc
    .array(
      fc.constantFrom(
        ..."\r\n\t\0 ;,'\"*".split(""),
        "https:",
        "//",
        "a.example",
        "'self'",
        "'unsafe-inline'",
        "'nonce'",
        "'nonce-a'",
        "'function-0'",
        "script-src",
        "é",
        "\u2028",
      ),
      { maxLength: 5 },
    )
    .map((pieces) => pieces.join("")),
);

function directiveNames(policy = ""): string[] {
  return policy.split(";").map((directive) => directive.split(" ")[0] ?? "");
}

function entriesOf(policy: string, name: string): string[] {
  const directive = policy.split(";").find((text) => text.split(" ")[0] === name);
  return directive?.split(" ").slice(1) ?? [];
}

/** Returns the header values that a plain response gets from one pass through the middleware. */
function valuesFrom(directives: Record<string, unknown>): {
  values: Record<string, string>;
  error: unknown;
} {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  let error: unknown;
  securityHeaders({ contentSecurityPolicy: { directives } })(request, response, (passed) => {
    error = passed;
  });
  return { values: response.getHeaders() as Record<string, string>, error };
}

function expectClean(values: Record<string, string>): void {
  for (const value of Object.values(values)) expect(value).to.match(/^[\x20-\x7e]*$/);
}

describe("a hostile value", () => {
  it("in a written directive is refused or becomes exactly one source", () => {
    fc.assert(
      fc.property(hostile, (value) => {
        let fields: readonly string[];
        try {
          const directives = { imgSrc: ["data:", value] };
          fields = compileSecurityHeaders({ contentSecurityPolicy: { directives } }).fields({
            secure: true,
          });
        } catch (error) {
          expect(error).to.be.instanceOf(TypeError);
          return;
        }
        const values = byName(fields);
        expectClean(values);
        expect(directiveNames(values[POLICY])).to.deep.equal(BASELINE);
        expect(entriesOf(values[POLICY] ?? "", "img-src")).to.deep.equal(["data:", value]);
      }),
      { numRuns: 500 },
    );
  });

  it("from a directive function becomes exactly one source or closes the directive", () => {
    const withoutUpgrade = BASELINE.filter((name) => name !== "upgrade-insecure-requests");
    fc.assert(
      fc.property(fc.oneof(hostile, fc.anything()), (value) => {
        const { values, error } = valuesFrom({ imgSrc: ["data:", () => value] });
        expectClean(values);
        expect(directiveNames(values[POLICY])).to.deep.equal(withoutUpgrade);
        const entries = entriesOf(values[POLICY] ?? "", "img-src");
        if (error !== undefined) expect(entries).to.deep.equal(["'none'"]);
        else if (value === "") expect(entries).to.deep.equal(["data:"]);
        else expect(entries).to.deep.equal(["data:", ...[value].flat()]);
      }),
      { numRuns: 500 },
    );
  });

  it("as a nonce or a hash is refused or becomes exactly one source", () => {
    const compiled = compileSecurityHeaders({ preset: "strict" });
    fc.assert(
      fc.property(fc.oneof(hostile, fc.stringMatching(/^[\w+/=-]{1,50}$/)), (value) => {
        for (const fieldsWith of [
          () => compiled.fieldsWithNonce({ secure: true, nonce: value }),
          () =>
            compiled.fieldsWithHashes({ secure: true, hashes: { scripts: [value], styles: [] } }),
        ]) {
          let fields: readonly string[];
          try {
            fields = fieldsWith();
          } catch (error) {
            expect(error).to.be.instanceOf(TypeError);
            continue;
          }
          const values = byName(fields);
          expectClean(values);
          expect(entriesOf(values[POLICY] ?? "", "script-src")).to.have.length(2);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("as a directive, feature, origin or option name is refused with a TypeError", () => {
    fc.assert(
      fc.property(hostile, hostile, (name, value) => {
        for (const options of [
          { [`${name}!`]: {} },
          { contentSecurityPolicy: { directives: { [`${name}!`]: [value] } } },
          { permissionsPolicy: { [`${name}!`]: [] } },
          { permissionsPolicy: { camera: [`${value}!`] } },
          { crossOriginOpenerPolicy: { policy: `${value}!` } },
        ]) {
          expect(() => compileSecurityHeaders(options as object)).to.throw(TypeError);
        }
      }),
    );
  });

  it("as an endpoint's name or address is refused or becomes exactly one member", () => {
    const name = fc.oneof(hostile, fc.stringMatching(/^[a-z][a-z0-9_.*-]{0,8}$/));
    const address = fc.oneof(
      hostile,
      hostile.map((text) => `/${text}`),
      fc.webUrl(),
    );
    fc.assert(
      fc.property(name, address, (key, value) => {
        let fields: readonly string[];
        try {
          const reportingEndpoints = Object.fromEntries([[key, value]]);
          fields = compileSecurityHeaders({ reportingEndpoints }).fields({ secure: true });
        } catch (error) {
          expect(error).to.be.instanceOf(TypeError);
          return;
        }
        const values = byName(fields);
        expectClean(values);
        expect(values["reporting-endpoints"]).to.equal(`${key}="${value}"`);
        expect(value).to.match(/^[^"\\\s]+$/);
      }),
      { numRuns: 500 },
    );
  });

  it("as the name of an endpoint that a header reports to is refused or stays one name", () => {
    const name = fc.oneof(hostile, fc.stringMatching(/^[a-z][a-z0-9_.*-]{0,8}$/));
    fc.assert(
      fc.property(name, (reportTo) => {
        for (const [header, options] of [
          ["cross-origin-opener-policy", { crossOriginOpenerPolicy: { reportTo } }],
          ["permissions-policy", { permissionsPolicy: { camera: { allow: [], reportTo } } }],
          ["document-policy", { documentPolicy: { "js-profiling": true, reportTo } }],
          ["integrity-policy", { integrityPolicy: { endpoints: [reportTo] } }],
        ] as const) {
          let values: Record<string, string>;
          try {
            values = byName(compileSecurityHeaders(options).fields({ secure: true }));
          } catch (error) {
            expect(error).to.be.instanceOf(TypeError);
            continue;
          }
          expectClean(values);
          expect(reportTo).to.match(/^[a-z*][a-z0-9_.*-]*$/);
          expect(values[header]).to.include(reportTo);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("added to a policy for some routes is refused or becomes exactly one source more", () => {
    const base = securityHeaders();
    fc.assert(
      fc.property(hostile, (value) => {
        let added: readonly string[];
        try {
          const { changes } = base.extend({ imgSrc: [value] });
          added = changes.flatMap((change) => change.added);
        } catch (error) {
          expect(error).to.be.instanceOf(TypeError);
          return;
        }
        const isNew = !["'self'", "data:", "'none'"].includes(value);
        expect(added).to.deep.equal(isNew || value === "'none'" ? [value] : []);
      }),
      { numRuns: 500 },
    );
  });
});
