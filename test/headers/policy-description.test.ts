import { describePolicy, PRESETS } from "@hauberk/headers";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";

function sentences(policy: string, about: RegExp): readonly string[] {
  return describePolicy(policy).filter((sentence) => about.test(sentence));
}

describe("describePolicy()", () => {
  const cases: readonly [string, RegExp, string][] = [
    ["", /^Scripts run/, "Scripts run from anywhere, also inline: nothing restricts them."],
    ["", /^Images/, "Images load from anywhere: no directive restricts it."],
    ["default-src 'none'", /^Images/, "Images load from nowhere."],
    ["default-src 'self'; img-src", /^Images/, "Images load from nowhere."],
    [
      "img-src *.a.example data:",
      /^Images/,
      "Images load from every subdomain of a.example and data: addresses.",
    ],
    ["child-src a.example", /^Frames/, "Frames show pages of a.example."],
    [
      "script-src 'self' 'unsafe-inline'",
      /inline script/,
      "Every inline script runs, an injected one too.",
    ],
    ["script-src 'unsafe-inline'", /^Event/, "Event-handler attributes run, injected ones too."],
    ["script-src 'unsafe-inline' 'nonce-a'", /^Event/, "Event-handler attributes do not run."],
    [
      "script-src 'unsafe-hashes' 'sha256-a'",
      /^Event/,
      "Event-handler attributes run when a hash names their text.",
    ],
    [
      "script-src 'strict-dynamic'",
      /strict-dynamic/,
      "No script runs: 'strict-dynamic' asks for a nonce or a hash, and there is none.",
    ],
    ["script-src 'self' 'unsafe-eval'", /eval/, "Text may be run as code (eval)."],
    ["default-src 'self'", /eval/, "Text may not be run as code (eval)."],
    [
      "style-src 'unsafe-inline'",
      /^Style/,
      "Style sheets load from nowhere; inline styles apply, injected ones too.",
    ],
    [
      "sandbox allow-forms allow-scripts",
      /sandboxed/,
      "The page is sandboxed but for allow-forms and allow-scripts.",
    ],
    ["report-to csp", /reported/, "Violations are reported to csp."],
  ];
  for (const [policy, about, sentence] of cases) {
    it(`says of ${JSON.stringify(policy)}: ${sentence}`, () => {
      expect(sentences(policy, about)).to.deep.equal([sentence]);
    });
  }

  it("says that strict trusts nonces and what they load, and no host", () => {
    const [first] = describePolicy(PRESETS.strict.contentSecurityPolicy);
    expect(first).to.equal(
      "Scripts run when they have the nonce of the response, wherever they are from; a script that runs may load any other.",
    );
  });

  it("has an answer to any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(describePolicy(text).length).to.be.greaterThan(12);
      }),
    );
  });
});
