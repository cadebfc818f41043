import { spawnSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { verifyCertificate } from "@hauberk/cert/inspect";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import {
  authorityExtensions,
  leafExtensions,
  makeChain,
  type ChainRecipe,
  type LinkRecipe,
  type MadeChain,
} from "../support/certificate-chain.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  COMMON_NAME,
  extendedKeyUsage,
  extension,
  generalName,
  keyUsage,
  nameConstraints,
  newKey,
  subjectKeyIdentifier,
} from "../support/certificate-maker.ts";
import { der, sequence } from "../support/der-writer.ts";
import { IS_THOROUGH, requireProgram } from "../support/external.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const DAY_MS = 86_400_000;
const SHA1 = { oid: "1.2.840.10045.4.1", digest: "sha1" };
const EMAIL = "1.2.840.113549.1.9.1";
const RSA_1024 = rsa(1024);
const daysAhead = (days: number): Date => new Date(Date.now() + days * DAY_MS);

/** A CA with these extensions besides those of a good one. */
function authorityWith(...more: readonly Buffer[]): LinkRecipe {
  return {
    extensions: (key, issuerKey) => [...authorityExtensions(key, issuerKey), ...more],
  };
}

/** A CA under name constraints. */
function constrained(permitted: readonly string[], excluded: readonly string[] = []): LinkRecipe {
  return authorityWith(nameConstraints(permitted, excluded));
}

function leafFor(...names: readonly string[]): LinkRecipe {
  return { extensions: (key, issuerKey) => leafExtensions(key, issuerKey, ...names) };
}

/** A leaf or CA without one of the good extensions, by its position, or with another in its place. */
function replacing(
  base: typeof authorityExtensions | typeof leafExtensions,
  position: number,
  ...replacement: readonly Buffer[]
): LinkRecipe {
  return {
    extensions: (key, issuerKey) => base(key, issuerKey).toSpliced(position, 1, ...replacement),
  };
}

interface Case {
  readonly title: string;
  readonly chain: () => MadeChain;
  readonly host?: string;
  /** "valid", or the code of ours; openssl must agree on whether it is valid. */
  readonly expected: string;
}

function link(recipe: ChainRecipe): () => MadeChain {
  return () => makeChain(recipe);
}

/** Position of each good extension, for `replacing`. */
const CA = { basic: 0, usage: 1, subjectKey: 2, authorityKey: 3 } as const;
const LEAF = { basic: 0, usage: 1, purpose: 2, names: 3, subjectKey: 4, authorityKey: 5 } as const;

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

  // Name constraints: subtrees of the root, names of the leaf
  ...(
    [
      [["test"], [], ["app.test"], "valid"],
      [["test"], [], ["test"], "valid"],
      [["test"], [], ["APP.TEST"], "valid"],
      [["TEST"], [], ["*.app.test"], "valid"],
      [["test"], [], ["google.com"], "name-not-permitted"],
      [["test"], [], ["nottest"], "name-not-permitted"],
      [["test"], [], ["app.test", "google.com"], "name-not-permitted"],
      [[".test"], [], ["app.test"], "valid"],
      [[".test"], [], ["test"], "name-not-permitted"],
      [["test", "internal"], [], ["db.internal"], "valid"],
      [[], ["test"], ["app.test"], "name-not-permitted"],
      [[], ["test"], ["app.internal"], "valid"],
      [[], [".test"], ["test"], "valid"],
      [["test"], ["secret.test"], ["a.secret.test"], "name-not-permitted"],
      [["test"], ["secret.test"], ["nosecret.test"], "valid"],
      [["dns:"], [], ["anything.example"], "valid"],
      [[], ["dns:"], ["anything.example"], "name-not-permitted"],
      [["test"], [], ["10.0.0.1"], "valid"],
      [["10.0.0.0/255.0.0.0"], [], ["10.1.2.3"], "valid"],
      [["10.0.0.0/255.0.0.0"], [], ["11.1.2.3"], "name-not-permitted"],
      [["10.0.0.7/255.0.0.0"], [], ["10.1.2.3"], "valid"],
      [[], ["10.0.0.7/255.0.0.0"], ["10.1.2.3"], "name-not-permitted"],
      [[], ["10.0.0.7/255.0.255.0"], ["10.9.0.200"], "name-not-permitted"],
      [[], ["10.0.0.7/255.0.255.0"], ["10.9.1.200"], "valid"],
      [["10.0.0.0/255.0.0.0"], [], ["app.test"], "valid"],
      [
        [`raw-ip:fd00${"00".repeat(14)}ff00${"00".repeat(14)}`],
        [],
        [`raw-ip:fd12${"00".repeat(14)}`],
        "valid",
      ],
      [
        [`raw-ip:fd00${"00".repeat(14)}ff00${"00".repeat(14)}`],
        [],
        [`raw-ip:2001${"00".repeat(14)}`],
        "name-not-permitted",
      ],
      [["10.0.0.0/255.0.0.0"], [], [`raw-ip:fd12${"00".repeat(14)}`], "name-not-permitted"],
      [["email:app.test"], [], ["email:jo@app.test"], "valid"],
      [["email:app.test"], [], ["email:jo@APP.TEST"], "valid"],
      [["email:app.test"], [], ["email:jo@x.app.test"], "name-not-permitted"],
      [["email:.app.test"], [], ["email:jo@x.app.test"], "valid"],
      [["email:.app.test"], [], ["email:jo@app.test"], "name-not-permitted"],
      [["email:jo@app.test"], [], ["email:jo@app.test"], "valid"],
      [["email:jo@app.test"], [], ["email:JO@app.test"], "name-not-permitted"],
      [[], ["email:app.test"], ["email:jo@app.test"], "name-not-permitted"],
      [["uri:app.test"], [], ["uri:spiffe://app.test/x"], "valid"],
      [["uri:app.test"], [], ["uri:spiffe://app.test:80/x"], "valid"],
      [["uri:app.test"], [], ["uri:spiffe://x.app.test/x"], "name-not-permitted"],
      [["uri:.app.test"], [], ["uri:spiffe://x.app.test/x"], "valid"],
      [["uri:.app.test"], [], ["uri:urn:x:y"], "name-not-permitted"],
      [[], ["uri:evil.example"], ["uri:spiffe://evil.example/"], "name-not-permitted"],
    ] as const
  ).map(([permitted, excluded, names, expected]): Case => ({
    title: `permitted [${permitted.join()}] excluded [${excluded.join()}] for ${names.join()}`,
    chain: link([constrained(permitted, excluded), leafFor(...names)]),
    expected,
  })),
  {
    title: "constraints of an intermediate",
    chain: link([{}, constrained(["test"]), leafFor("google.com")]),
    expected: "name-not-permitted",
  },
  {
    title: "constraints of two CAs, one of which permits",
    chain: link([constrained(["internal"]), constrained(["test"]), leafFor("app.test")]),
    expected: "name-not-permitted",
  },
  {
    title: "a common name outside, without names",
    chain: link([
      constrained(["test"]),
      { subject: [[COMMON_NAME, "google.com"]], ...leafFor("10.0.0.1") },
    ]),
    expected: "name-not-permitted",
  },
  {
    title: "a common name outside, beside a DNS name inside",
    chain: link([
      constrained(["test"]),
      { subject: [[COMMON_NAME, "google.com"]], ...leafFor("app.test") },
    ]),
    expected: "valid",
  },
  {
    title: "a mailbox outside in the subject",
    chain: link([
      constrained(["email:app.test"]),
      { subject: [[EMAIL, "jo@google.com"]], ...leafFor("app.test") },
    ]),
    expected: "name-not-permitted",
  },

  // Hosts
  ...(
    [
      [["app.test"], "app.test", "valid"],
      [["app.test"], "APP.test", "valid"],
      [["App.Test"], "app.test", "valid"],
      [["app.test"], "www.app.test", "host-mismatch"],
      [["*.app.test"], "www.app.test", "valid"],
      [["*.app.test"], "app.test", "host-mismatch"],
      [["*.app.test"], "a.b.app.test", "host-mismatch"],
      [["*.test"], "app.test", "host-mismatch"],
      [["w*.app.example.test"], "x.app.example.test", "host-mismatch"],
      [["*"], "localhost", "host-mismatch"],
      [["a.*.test"], "a.b.test", "host-mismatch"],
      [["xn--bcher-kva.test"], "xn--bcher-kva.test", "valid"],
      [["10.0.0.1"], "10.0.0.1", "valid"],
      [["10.0.0.1"], "10.0.0.2", "host-mismatch"],
      [["dns:10.0.0.1"], "10.0.0.1", "host-mismatch"],
      [[`raw-ip:${"00".repeat(15)}01`], "::1", "valid"],
      [["app.test"], "10.0.0.1", "host-mismatch"],
    ] as const
  ).map(([names, host, expected]): Case => ({
    title: `${names.join()} for the host ${host}`,
    chain: link([{}, leafFor(...names)]),
    host,
    expected,
  })),
];

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

describe("verifyCertificate() beside openssl verify -x509_strict -auth_level 2", () => {
  const directory = tempDirectory();

  for (const { title, chain, host, expected } of CASES) {
    it(`agrees on ${title}: ${expected}`, async function () {
      const openssl = requireProgram(this, "openssl");
      const made = chain();
      const judged = await judge(made, host);
      const reference = opensslVerdict(openssl, made, host);
      expect(`${judged.code} ${judged.reason}`.split(" ")[0], judged.reason).to.equal(expected);
      expect(reference === "OK", reference).to.equal(expected === "valid");
    });
  }

  for (const { title, chain, host, expected, why } of STRICTER) {
    it(`is stricter on ${title}, since ${why}`, async function () {
      const openssl = requireProgram(this, "openssl");
      const made = chain();
      expect((await judge(made, host)).code).to.equal(expected);
      expect(opensslVerdict(openssl, made, host)).to.equal("OK");
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
        const reference = opensslVerdict(openssl, made, host);
        if (code === "valid") valid += 1;
        expect(code === "valid", `${reason} / ${reference}`).to.equal(reference === "OK");
      }),
      { numRuns: IS_THOROUGH ? 500 : 100 },
    );
    expect(valid).to.be.greaterThan(10);
  });

  async function judge(
    made: MadeChain,
    host: string | undefined,
  ): Promise<{ code: string; reason: string }> {
    const verdict = await verifyCertificate(made.leaf, {
      authorities: made.root,
      intermediates: made.intermediates,
      host,
    });
    return verdict.kind === "valid" ? { code: "valid", reason: "" } : verdict;
  }

  function opensslVerdict(program: string, made: MadeChain, host: string | undefined): string {
    const write = (name: string, text: string): string => {
      const file = join(directory, name);
      writeFileSync(file, text);
      return file;
    };
    const isAddress = host !== undefined && /^[\d.]+$|:/.test(host);
    const { stdout, stderr } = spawnSync(
      program,
      [
        "verify",
        ...["-x509_strict", "-auth_level", "2", "-purpose", "sslserver"],
        ...["-CAfile", write("root.pem", made.root), "-no-CApath", "-no-CAstore"],
        ...(made.intermediates.length > 0
          ? ["-untrusted", write("intermediates.pem", made.intermediates.join(""))]
          : []),
        ...(host === undefined ? [] : [isAddress ? "-verify_ip" : "-verify_hostname", host]),
        write("leaf.pem", made.leaf),
      ],
      { encoding: "utf8" },
    );
    return /: OK$/m.test(stdout) ? "OK" : stderr;
  }
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

function rsa(modulusLength: number): KeyObject {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  return createPrivateKey(privateKey);
}
