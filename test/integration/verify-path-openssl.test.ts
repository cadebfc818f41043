import { generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import { describe, it } from "mocha";
import {
  authorityExtensions,
  leafExtensions,
  makeChain,
  type LinkRecipe,
  type MadeChain,
} from "../support/certificate-chain.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  COMMON_NAME,
  extension,
  keyUsage,
  newKey,
  subjectKeyIdentifier,
} from "../support/certificate-maker.ts";
import {
  CA,
  daysAhead,
  judge,
  LEAF,
  link,
  opensslVerdict,
  replacing,
  rsa,
  type Case,
} from "../support/chain-verdict.ts";
import { der, sequence } from "../support/der-writer.ts";
import { requireProgram } from "../support/external.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const CASES: readonly Case[] = [
  { title: "a leaf under a root", chain: link([{}, {}]), expected: "valid" },
  { title: "one intermediate", chain: link([{}, {}, {}]), expected: "valid" },
  { title: "four intermediates", chain: link([{}, {}, {}, {}, {}, {}]), expected: "valid" },
  { title: "an RSA intermediate", chain: link([{}, { key: rsa(2048) }, {}]), expected: "valid" },
  {
    title: "an Ed25519 root",
    chain: link([{ key: generateKeyPairSync("ed25519").privateKey }, {}]),
    expected: "valid",
  },
  { title: "a trusted self-signed leaf", chain: link([{}]), expected: "valid" },
  {
    title: "the root itself",
    chain: link([{ extensions: authorityExtensions }]),
    expected: "wrong-purpose",
  },

  // Dates
  { title: "an expired leaf", chain: link([{}, { notAfter: daysAhead(-1) }]), expected: "expired" },
  {
    title: "an expired intermediate",
    chain: link([{}, { notAfter: daysAhead(-1) }, {}]),
    expected: "expired",
  },
  {
    title: "an expired root",
    chain: link([{ notAfter: daysAhead(-1) }, {}]),
    expected: "expired",
  },
  {
    title: "a leaf of tomorrow",
    chain: link([{}, { notBefore: daysAhead(1) }]),
    expected: "not-yet-valid",
  },
  {
    title: "a leaf until 2060, in GeneralizedTime",
    chain: link([{}, { notAfter: new Date("2060-01-01") }]),
    expected: "valid",
  },

  // Trust and signatures
  {
    title: "another root of the same name",
    chain: () => ({ ...makeChain([{}, {}]), root: makeChain([{}, {}]).root }),
    expected: "untrusted",
  },
  {
    title: "another root of the same name, without key identifiers",
    chain: () => {
      const bare: LinkRecipe = { extensions: () => [basicConstraints(true), keyUsage(5)] };
      return { ...makeChain([bare, {}, {}]), root: makeChain([bare, {}]).root };
    },
    expected: "bad-signature",
  },
  {
    title: "a missing intermediate",
    chain: () => ({ ...makeChain([{}, {}, {}]), intermediates: [] }),
    expected: "untrusted",
  },
  {
    title: "intermediates in the wrong order",
    chain: () => {
      const made = makeChain([{}, {}, {}, {}]);
      return { ...made, intermediates: made.intermediates.toReversed() };
    },
    expected: "valid",
  },
  {
    title: "an intermediate trusted in place of the root",
    chain: () => {
      const made = makeChain([{}, {}, {}]);
      return { ...made, root: made.intermediates[0] ?? "" };
    },
    expected: "untrusted",
  },
  {
    title: "a leaf signed by another key",
    chain: link([{}, { signingKey: newKey() }]),
    expected: "bad-signature",
  },
  {
    title: "an intermediate signed by another key",
    chain: link([{}, { signingKey: newKey() }, {}]),
    expected: "bad-signature",
  },
  {
    title: "an issuer in other letters",
    chain: link([{ subject: [[COMMON_NAME, "Some CA"]] }, { issuer: [[COMMON_NAME, "SOME  ca"]] }]),
    expected: "valid",
  },
  { title: "a stranger's self-signed leaf", chain: strangerLeaf, expected: "untrusted" },
  {
    title: "two intermediates that signed each other",
    chain: crossSigned,
    expected: "untrusted",
  },
  {
    title: "an expired intermediate beside a good one of the same key",
    chain: renewedIntermediate,
    expected: "valid",
  },

  // CA flags
  {
    title: "an intermediate without basicConstraints",
    chain: link([{}, replacing(authorityExtensions, CA.basic), {}]),
    expected: "malformed",
  },
  {
    title: "an intermediate with CA:FALSE",
    chain: link([
      {},
      {
        extensions: (key, issuerKey) => [
          basicConstraints(false),
          keyUsage(0),
          subjectKeyIdentifier(key),
          authorityKeyIdentifier(issuerKey),
        ],
      },
      {},
    ]),
    expected: "not-an-authority",
  },
  {
    title: "an intermediate whose basicConstraints are not critical",
    chain: link([
      {},
      replacing(
        authorityExtensions,
        CA.basic,
        extension("2.5.29.19", sequence(der(0x01, Buffer.of(0xff)))),
      ),
      {},
    ]),
    expected: "malformed",
  },
  {
    title: "an intermediate that may not sign certificates",
    chain: link([{}, replacing(authorityExtensions, CA.usage, keyUsage(0, 6)), {}]),
    expected: "not-an-authority",
  },
  {
    title: "an intermediate without key usage",
    chain: link([{}, replacing(authorityExtensions, CA.usage), {}]),
    expected: "not-an-authority",
  },
  {
    title: "a root without key usage",
    chain: link([replacing(authorityExtensions, CA.usage), {}]),
    expected: "not-an-authority",
  },
  {
    title: "a root of version 1",
    chain: link([{ version: 1, extensions: () => [] }, {}]),
    expected: "not-an-authority",
  },
  {
    title: "a leaf that is a CA as well",
    chain: link([{}, replacing(leafExtensions, LEAF.basic, basicConstraints(true))]),
    expected: "valid",
  },
  {
    title: "a leaf without basicConstraints",
    chain: link([{}, replacing(leafExtensions, LEAF.basic)]),
    expected: "valid",
  },
  {
    title: "a leaf with keyCertSign and no CA",
    chain: link([{}, replacing(leafExtensions, LEAF.usage, keyUsage(0, 5))]),
    expected: "malformed",
  },
  {
    title: "a leaf with a path length and no CA",
    chain: link([{}, replacing(leafExtensions, LEAF.basic, basicConstraints(false, 0))]),
    expected: "malformed",
  },

  // Path lengths
  ...([0, 1, 2] as const).flatMap((limit) =>
    ([0, 1, 2] as const).map((between): Case => ({
      title: `a path length of ${limit} over ${between} intermediates`,
      chain: link([
        { extensions: (key, issuerKey) => authorityExtensions(key, issuerKey, limit) },
        ...Array.from({ length: between }, () => ({})),
        {},
      ]),
      expected: between > limit ? "path-too-long" : "valid",
    })),
  ),
  {
    title: "a path length of 0 over a self-issued intermediate",
    chain: link([
      {
        subject: [[COMMON_NAME, "Same"]],
        extensions: (key, issuerKey) => authorityExtensions(key, issuerKey, 0),
      },
      { subject: [[COMMON_NAME, "Same"]] },
      {},
    ]),
    expected: "valid",
  },
];

describe("verifyCertificate() beside openssl verify -x509_strict, on paths", () => {
  const directory = tempDirectory();
  for (const { title, chain, host, expected } of CASES) {
    it(`agrees on ${title}: ${expected}`, async function () {
      const openssl = requireProgram(this, "openssl");
      const made = chain();
      const { code, reason } = await judge(made, host);
      const reference = opensslVerdict(openssl, directory, made, host);
      expect(code, reason).to.equal(expected);
      expect(reference === "OK", reference).to.equal(expected === "valid");
    });
  }
});

function strangerLeaf(): MadeChain {
  const { root } = makeChain([{}]);
  const own = makeChain([{ extensions: (key, issuerKey) => leafExtensions(key, issuerKey) }]);
  return { leaf: own.leaf, intermediates: [], root };
}

function crossSigned(): MadeChain {
  const [a, b] = [newKey(), newKey()];
  const nameA = [[COMMON_NAME, "A"]] as const;
  const nameB = [[COMMON_NAME, "B"]] as const;
  const { intermediates, leaf } = makeChain([
    { key: b, subject: nameB },
    { key: a, subject: nameA },
    {},
  ]);
  const back = makeChain([{ key: a, subject: nameA }, { key: b, subject: nameB }, {}]);
  return {
    leaf,
    intermediates: [...intermediates, ...back.intermediates],
    root: makeChain([{}]).root,
  };
}

function renewedIntermediate(): MadeChain {
  const [rootKey, key, leafKey] = [newKey(), newKey(), newKey()];
  const root: LinkRecipe = { key: rootKey };
  const old = makeChain([root, { key, notAfter: daysAhead(-1) }, { key: leafKey }]);
  const renewed = makeChain([root, { key }, { key: leafKey }]);
  return {
    leaf: renewed.leaf,
    root: renewed.root,
    intermediates: [...renewed.intermediates, ...old.intermediates],
  };
}
