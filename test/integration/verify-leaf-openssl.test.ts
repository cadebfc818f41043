import { expect } from "chai";
import { describe, it } from "mocha";
import { authorityExtensions, leafExtensions } from "../support/certificate-chain.ts";
import {
  extendedKeyUsage,
  extension,
  generalName,
  keyUsage,
} from "../support/certificate-maker.ts";
import {
  authorityWith,
  CA,
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
const SHA1 = { oid: "1.2.840.10045.4.1", digest: "sha1" };
const RSA_1024 = rsa(1024);

const CASES: readonly Case[] = [
  // Purposes
  {
    title: "a leaf for clients",
    chain: link([{}, replacing(leafExtensions, LEAF.purpose, extendedKeyUsage("2"))]),
    expected: "wrong-purpose",
  },
  {
    title: "a leaf for both",
    chain: link([{}, replacing(leafExtensions, LEAF.purpose, extendedKeyUsage("2", "1"))]),
    expected: "valid",
  },
  {
    title: "a leaf for any purpose",
    chain: link([{}, replacing(leafExtensions, LEAF.purpose, extendedKeyUsage("2.5.29.37.0"))]),
    expected: "wrong-purpose",
  },
  {
    title: "a leaf without purposes",
    chain: link([{}, replacing(leafExtensions, LEAF.purpose)]),
    expected: "valid",
  },
  {
    title: "a leaf whose key may only sign CRLs",
    chain: link([{}, replacing(leafExtensions, LEAF.usage, keyUsage(6))]),
    expected: "wrong-purpose",
  },
  {
    title: "a leaf without key usage",
    chain: link([{}, replacing(leafExtensions, LEAF.usage)]),
    expected: "valid",
  },
  {
    title: "an intermediate for clients only",
    chain: link([{}, authorityWith(extendedKeyUsage("2")), {}]),
    expected: "wrong-purpose",
  },
  {
    title: "an intermediate for servers only",
    chain: link([{}, authorityWith(extendedKeyUsage("1")), {}]),
    expected: "valid",
  },
  {
    title: "a root for clients only",
    chain: link([authorityWith(extendedKeyUsage("2")), {}]),
    expected: "wrong-purpose",
  },

  // Form
  {
    title: "a leaf that does not name its issuer's key",
    chain: link([{}, replacing(leafExtensions, LEAF.authorityKey)]),
    expected: "malformed",
  },
  {
    title: "a leaf that does not name its own key",
    chain: link([{}, replacing(leafExtensions, LEAF.subjectKey)]),
    expected: "valid",
  },
  {
    title: "an intermediate that does not name its own key",
    chain: link([{}, replacing(authorityExtensions, CA.subjectKey), {}]),
    expected: "malformed",
  },
  {
    title: "a leaf without subject, its names critical",
    chain: link([
      {},
      {
        subject: [],
        ...replacing(
          leafExtensions,
          LEAF.names,
          extension("2.5.29.17", sequence(generalName("app.test")), true),
        ),
      },
    ]),
    expected: "valid",
  },
  {
    title: "a leaf without subject, its names not critical",
    chain: link([{}, { subject: [] }]),
    expected: "malformed",
  },
  {
    title: "a leaf without subject and names",
    chain: link([{}, { subject: [], ...replacing(leafExtensions, LEAF.names) }]),
    expected: "malformed",
  },
  {
    title: "a leaf with an empty list of names",
    chain: link([{}, replacing(leafExtensions, LEAF.names, extension("2.5.29.17", sequence()))]),
    expected: "malformed",
  },
  {
    title: "a leaf of version 1, when no host is asked for",
    chain: link([{}, { version: 1, extensions: () => [] }]),
    expected: "valid",
  },
  {
    title: "a leaf of version 1 with extensions",
    chain: link([{}, { version: 1 }]),
    expected: "malformed",
  },
  {
    title: "an unknown critical extension in the leaf",
    chain: link([
      {},
      {
        extensions: (key, issuerKey) => [
          ...leafExtensions(key, issuerKey),
          extension("1.2.3.4.5", der(0x05), true),
        ],
      },
    ]),
    expected: "unknown-critical-extension",
  },
  {
    title: "an unknown critical extension in the root",
    chain: link([authorityWith(extension("1.2.3.4.5", der(0x05), true)), {}]),
    expected: "unknown-critical-extension",
  },
  {
    title: "an unknown extension that is not critical",
    chain: link([authorityWith(extension("1.2.3.4.5", der(0x05))), {}]),
    expected: "valid",
  },

  // Strength
  { title: "an RSA-1024 leaf", chain: link([{}, { key: RSA_1024 }]), expected: "weak-key" },
  { title: "an RSA-1024 root", chain: link([{ key: RSA_1024 }, {}]), expected: "weak-key" },
  {
    title: "a leaf signed with SHA-1",
    chain: link([{}, { signature: SHA1 }]),
    expected: "weak-signature",
  },
  { title: "a root signed with SHA-1", chain: link([{ signature: SHA1 }, {}]), expected: "valid" },
];

describe("verifyCertificate() beside openssl verify -x509_strict, on purposes, form and strength", () => {
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
