import { generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import {
  authorityExtensions,
  leafExtensions,
  makeChain,
  type LinkRecipe,
  type ChainRecipe,
} from "../support/certificate-chain.ts";
import { COMMON_NAME, extendedKeyUsage, extension, newKey } from "../support/certificate-maker.ts";
import {
  authorityWith,
  CA,
  constrained,
  daysAhead,
  judge,
  LEAF,
  leafFor,
  link,
  opensslVerdict,
  replacing,
  rsa,
  type Case,
} from "../support/chain-verdict.ts";
import { der, sequence } from "../support/der-writer.ts";
import { IS_THOROUGH, requireProgram } from "../support/external.ts";
import { tempDirectory } from "../support/temp-directory.ts";
const SHA1 = { oid: "1.2.840.10045.4.1", digest: "sha1" };
const RSA_1024 = rsa(1024);

/** Where we refuse and `openssl verify -x509_strict -auth_level 2` does not, and why we do. */
const STRICTER: readonly (Case & { readonly why: string })[] = [
  {
    title: "a key on P-224",
    chain: link([{}, { key: generateKeyPairSync("ec", { namedCurve: "P-224" }).privateKey }]),
    expected: "weak-key",
    why: "no browser and no TLS 1.3 server takes it",
  },
  {
    title: "a common name that fits, without DNS names",
    chain: link([{}, leafFor("10.0.0.1")]),
    host: "app.test",
    expected: "host-mismatch",
    why: "RFC 9525 section 2: the common name does not count; browsers and Go agree",
  },
  {
    title: "a wildcard for a part of a label",
    chain: link([{}, leafFor("w*.app.test")]),
    host: "www.app.test",
    expected: "host-mismatch",
    why: "RFC 9525 section 6.3: a wildcard is a whole label; browsers and Node agree",
  },
  {
    title: "directory names in name constraints",
    chain: link([
      authorityWith(
        extension("2.5.29.30", sequence(der(0xa0, sequence(der(0xa4, sequence())))), true),
      ),
      {},
    ]),
    expected: "unknown-critical-extension",
    why: "we evaluate DNS names, addresses, mailboxes and URIs; what we cannot evaluate we refuse",
  },
  {
    title: "a user in front of the host of a URI",
    chain: link([constrained(["uri:.test"]), leafFor("uri:x://evil.example@app.test/")]),
    expected: "name-not-permitted",
    why: "what looks like the host may be the user, so no constraint can tell",
  },
];

describe("verifyCertificate() beside openssl verify -x509_strict, on any chain", () => {
  const directory = tempDirectory();

  for (const { title, chain, host, expected, why } of STRICTER) {
    it(`is stricter on ${title}, since ${why}`, async function () {
      const openssl = requireProgram(this, "openssl");
      const made = chain();
      expect((await judge(made, host)).code).to.equal(expected);
      expect(opensslVerdict(openssl, directory, made, host)).to.equal("OK");
    });
  }

  it("agrees on chains put together at random from good and bad parts", async function () {
    this.timeout(60_000);
    const openssl = requireProgram(this, "openssl");
    let valid = 0;
    await fc.assert(
      fc.asyncProperty(anyChain(), fc.constantFrom(...HOSTS), async (recipe, host) => {
        const made = makeChain(recipe);
        const { code, reason } = await judge(made, host);
        const reference = opensslVerdict(openssl, directory, made, host);
        if (code === "valid") valid += 1;
        expect(code === "valid", `${reason} / ${reference}`).to.equal(reference === "OK");
      }),
      { numRuns: IS_THOROUGH ? 500 : 100 },
    );
    // About one in eight is valid; without any, agreement would say nothing.
    expect(valid).to.be.greaterThan(2);
  });
});

const HOSTS = [undefined, "app.test", "www.app.test", "10.0.0.1"] as const;

/** One to five certificates, each good or with one of the faults of the table. */
function anyChain(): fc.Arbitrary<ChainRecipe> {
  const good: LinkRecipe = {};
  const either: readonly LinkRecipe[] = [
    { notAfter: daysAhead(-1) },
    { signingKey: newKey() },
    { key: RSA_1024 },
    { signature: SHA1 },
    { subject: [[COMMON_NAME, "Same"]] },
  ];
  const authority = fc.constantFrom<LinkRecipe>(
    ...Array.from({ length: 12 }, () => good),
    ...either,
    ...[0, 1].map((limit): LinkRecipe => ({
      extensions: (key, issuerKey) => authorityExtensions(key, issuerKey, limit),
    })),
    { version: 1, extensions: () => [] },
    ...Object.values(CA).map((position) => replacing(authorityExtensions, position)),
    authorityWith(extendedKeyUsage("2")),
    authorityWith(extendedKeyUsage("1")),
    constrained(["test"]),
    constrained(["10.0.0.0/255.0.0.0"], ["app.test"]),
  );
  const leaf = fc.constantFrom<LinkRecipe>(
    ...Array.from({ length: 12 }, () => good),
    ...either,
    ...Object.values(LEAF)
      .filter((position) => position !== LEAF.names)
      .map((position) => replacing(leafExtensions, position)),
    leafFor("*.app.test", "app.test"),
    leafFor("app.test", "10.0.0.1"),
    leafFor("google.com", "dns:10.0.0.1"),
  );
  return fc
    .tuple(fc.array(authority, { minLength: 1, maxLength: 4 }), leaf)
    .map(([authorities, end]) => [...authorities, end]);
}
