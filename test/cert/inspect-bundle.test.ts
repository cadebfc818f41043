import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { createAuthority, issueCertificate, toPkcs12, type IssuedCertificate } from "@hauberk/cert";
import { inspectBundle, type Inspection } from "@hauberk/cert/inspect";
import { expect } from "chai";
import fc from "fast-check";
import { before, describe, it } from "mocha";
import { leafExtensions, makeChain, type LinkRecipe } from "../support/certificate-chain.ts";
import {
  alternativeNames,
  basicConstraints,
  COMMON_NAME,
  extension,
  makeRequest,
  newKey,
} from "../support/certificate-maker.ts";
import { der, pem, sequence } from "../support/der-writer.ts";
import { rejection } from "../support/rejection.ts";

const DAY_MS = 86_400_000;
const NOW = new Date();
const SHA1 = { oid: "1.2.840.10045.4.1", digest: "sha1" };
const inDays = (days: number): Date => new Date(NOW.getTime() + days * DAY_MS);

/** What a leaf says, and the findings about it: "code: message". */
const FAULTS: readonly (readonly [title: string, link: LinkRecipe, findings: readonly string[]])[] =
  [
    ["nothing wrong", {}, []],
    [
      "an end three days ago",
      { notAfter: inDays(-3.5) },
      [`expired: it expired on ${inDays(-3.5).toISOString().slice(0, 10)}, 3 days ago`],
    ],
    [
      "a start in the future",
      { notBefore: new Date(Math.floor(inDays(1.5).getTime() / 1000) * 1000) },
      [`not-yet-valid: it is valid from ${inDays(1.5).toISOString().slice(0, 19)}.000Z, in 1 day`],
    ],
    [
      "a life of ten years",
      { notAfter: inDays(3650) },
      ["long-lived: it is valid for 3651 days; Apple platforms refuse more than 825"],
    ],
    [
      "an RSA key of 1024 bits",
      { key: rsa(1024) },
      ["weak-key: its RSA key has 1024 bits; clients want at least 2048"],
    ],
    [
      "a key on P-224",
      { key: generateKeyPairSync("ec", { namedCurve: "P-224" }).privateKey },
      ["weak-key: its key is of the kind secp224r1, too weak"],
    ],
    [
      "a SHA-1 signature",
      { signature: SHA1 },
      ["weak-signature: it is signed with ecdsa-with-SHA1, whose hash is broken"],
    ],
    [
      "a common name only",
      { subject: [[COMMON_NAME, "app.test"]], extensions: () => [basicConstraints(false)] },
      [
        "no-names: it has no subjectAltName, where clients look for the host; " +
          'they do not look at the common name "app.test"',
      ],
    ],
    [
      "a wildcard right under a top-level name",
      named("*.test"),
      [
        'wildcard-too-wide: the wildcard "*.test" is right under a top-level name: ' +
          "Node.js and browsers refuse it",
      ],
    ],
    [
      "an address among the DNS names",
      named("dns:10.0.0.1"),
      [
        "address-as-dns: the address 10.0.0.1 stands among the DNS names, where clients do not look for it",
      ],
    ],
    [
      "a name with a NUL",
      named("dns:app.test\0.evil.example"),
      [
        'malformed-name: the name "app.test\\u0000.evil.example" matches no host: it contains "\\u0000"',
      ],
    ],
    [
      "a client's purpose",
      {
        extensions: (key, issuerKey) => [
          ...leafExtensions(key, issuerKey).toSpliced(2, 1),
          extension("2.5.29.37", sequence(der(0x06, Buffer.from("2b06010505070302", "hex")))),
        ],
      },
      ["no-server-auth: it is for clientAuth, not for TLS servers"],
    ],
    [
      "an unknown critical extension",
      {
        extensions: (key, issuerKey) => [
          ...leafExtensions(key, issuerKey),
          extension("1.2.3.4", der(0x05), true),
        ],
      },
      [
        "unknown-critical-extension: its extension 1.2.3.4 is critical, and clients that do not know it must refuse it",
      ],
    ],
    [
      "a negative serial number",
      { serial: Buffer.of(0xff, 0x01) },
      ["serial-number: its serial number is not a positive one of at most 20 bytes"],
    ],
    [
      "version 1",
      { version: 1, extensions: () => [] },
      [
        "no-names: it has no subjectAltName, where clients look for the host; " +
          'they do not look at the common name "app.test"',
        "version: it is of version 1, which has no names and no limits",
      ],
    ],
    [
      "an extension twice",
      { extensions: () => [alternativeNames("a.test"), alternativeNames("b.test")] },
      ["unreadable: Cannot read certificate: the extension 2.5.29.17 appears twice"],
    ],
  ];

describe("inspectBundle()", () => {
  let pair: IssuedCertificate;
  before(async () => {
    pair = await issueCertificate(await createAuthority(), { names: ["app.test", "10.0.0.7"] });
  });

  for (const [title, link, findings] of FAULTS) {
    it(`finds in a certificate with ${title}: ${findings.join(" ").slice(0, 60) || "nothing"}`, async () => {
      const found = await inspectBundle(makeChain([{}, link]).leaf, { now: NOW });
      const told = found.findings.filter(({ code }) => code !== "chain-unfinished");
      expect(told.map(({ code, message }) => `${code}: ${message}`)).to.have.members(findings);
    });
  }

  it("shows a certificate in PEM, DER and UTF-16 alike", async () => {
    const certificate = Buffer.from(pair.cert.split("\n").slice(1, -2).join(""), "base64");
    const forms = [
      pair.cert,
      certificate,
      Buffer.from(`\uFEFF${pair.cert}`, "utf16le"),
      `\uFEFF${pair.cert.replaceAll("\n", "\r\n")}`,
      pair.cert.replaceAll(" CERTIFICATE", " X509 CERTIFICATE"),
    ];
    for (const form of forms) {
      const { entries } = await inspectBundle(form);
      const [entry] = entries;
      if (entry?.kind !== "certificate") throw new Error(`not read: ${JSON.stringify(entry)}`);
      expect(entry.certificate.names).to.deep.equal(["app.test", "10.0.0.7"]);
      expect(entry.certificate.keyUsages).to.deep.equal(["digitalSignature"]);
      expect(entry.certificate.extendedKeyUsages).to.deep.equal(["serverAuth"]);
      expect(entry.certificate.signatureAlgorithm).to.equal("ecdsa-with-SHA256");
    }
  });

  it("shows keys of every form, and says which belongs to nothing", async () => {
    const key = createPrivateKey(pair.key);
    const other = newKey();
    const spki = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
    const sec1 = key.export({ type: "sec1", format: "pem" }).toString();
    const good = await inspectBundle(pair.cert + pair.key + sec1 + spki);
    expect(kinds(good)).to.deep.equal(["certificate", "private-key", "private-key", "public-key"]);
    expect(codes(good)).to.deep.equal(["chain-unfinished"]);
    const foreign = await inspectBundle(
      other.export({ type: "pkcs8", format: "pem" }).toString() + pair.cert,
    );
    expect(foreign.findings[0]).to.deep.equal({
      severity: "error",
      code: "key-mismatch",
      message: "it is the key of no certificate here",
      entry: 0,
    });
    for (const bytes of [
      key.export({ type: "pkcs8", format: "der" }),
      key.export({ type: "sec1", format: "der" }),
      rsa(2048).export({ type: "pkcs1", format: "der" }),
    ]) {
      expect(kinds(await inspectBundle(bytes))).to.deep.equal(["private-key"]);
    }
    const publicDer = createPublicKey(key).export({ type: "spki", format: "der" });
    expect(kinds(await inspectBundle(publicDer))).to.deep.equal(["public-key"]);
  });

  it("compares the key that lies beside the file", async () => {
    const matching = await inspectBundle(pair.cert, { privateKey: pair.key });
    expect(codes(matching)).to.deep.equal(["chain-unfinished"]);
    const other = newKey().export({ type: "pkcs8", format: "pem" }).toString();
    const { findings } = await inspectBundle(pair.cert, { privateKey: other });
    expect(findings[0]?.message).to.equal(
      "the key beside it is not the key of the first certificate",
    );
    for (const privateKey of ["no key", pair.cert]) {
      expect(codes(await inspectBundle(pair.cert, { privateKey }))).to.not.include("key-mismatch");
    }
  });

  it("opens encrypted keys with their password, and shows them locked without", async () => {
    const key = rsa(2048);
    for (const [type, cipher] of [
      ["pkcs8", "aes-256-cbc"],
      ["pkcs1", "aes-128-cbc"],
    ] as const) {
      const locked = key.export({ type, format: "pem", cipher, passphrase: "gehe\u00efm" });
      expect(kinds(await inspectBundle(locked))).to.deep.equal(["locked-key"]);
      const opened = await inspectBundle(locked, { password: "gehe\u00efm" });
      expect(opened.entries).to.deep.equal([{ kind: "private-key", key: "rsa2048" }]);
      const error = await rejection(inspectBundle(locked, { password: "wrong" }));
      expect(error.code).to.equal("ERR_CERT_PASSWORD");
      expect(error.message).to.equal("Cannot open the private key: the password is wrong");
    }
  });

  it("opens what toPkcs12() makes, old and new, and no other password does", async () => {
    for (const legacy of [false, true]) {
      const { pkcs12, password } = await toPkcs12(pair, { legacy });
      const opened = await inspectBundle(pkcs12, { password });
      expect(opened.format).to.equal("pkcs12");
      expect(kinds(opened)).to.deep.equal(["certificate", "certificate", "private-key"]);
      expect(codes(opened)).to.deep.equal(["root-included"]);
      expect(opened.findings.map(({ severity }) => severity)).to.deep.equal(["note"]);
      const wrong = await rejection(inspectBundle(pkcs12, { password: `${password}x` }));
      expect(wrong.message).to.equal("Cannot open the PKCS#12 file: the password is wrong");
      const none = await rejection(inspectBundle(pkcs12));
      expect(none.message).to.equal("Cannot open the PKCS#12 file: it needs a password");
      expect([wrong.code, none.code]).to.deep.equal(["ERR_CERT_PASSWORD", "ERR_CERT_PASSWORD"]);
    }
  });

  it("judges the order of a chain, and leaves a collection of roots alone", async () => {
    const { leaf, intermediates, root } = makeChain([{}, {}, {}, {}]);
    const [lower = "", upper = ""] = intermediates;
    for (const [text, expected] of [
      [leaf + lower + upper, ["note chain-unfinished 2"]],
      [leaf + lower + upper + root, ["note root-included 3"]],
      [leaf + upper + lower, ["error chain-order 1", "note chain-unfinished 2"]],
      [leaf + root + lower + upper, ["error chain-order 1", "note chain-unfinished 3"]],
      [leaf + upper, ["error chain-gap 1", "note chain-unfinished 1"]],
      [leaf + leaf, ["error chain-gap 1", "warning duplicate 1", "note chain-unfinished 1"]],
      [root + makeChain([{}]).root + root, []],
    ] as const) {
      const { findings } = await inspectBundle(text);
      const told = findings.map(({ severity, code, entry }) => `${severity} ${code} ${entry}`);
      expect(told).to.deep.equal(expected);
    }
  });

  it("shows what a request asks for and what is wrong with it", async () => {
    const key = newKey();
    const request = makeRequest({
      key,
      subject: [[COMMON_NAME, "app.test"]],
      extensions: [alternativeNames("app.test"), basicConstraints(true)],
    });
    const { entries, findings } = await inspectBundle(request);
    expect(entries).to.deep.equal([
      {
        kind: "request",
        request: {
          subject: "CN=app.test",
          names: ["app.test"],
          subjectNames: [{ type: "dns", value: "app.test" }],
          key: "p256",
          signatureAlgorithm: "ecdsa-with-SHA256",
          isSignatureValid: true,
          asksForAuthority: true,
          keyUsages: undefined,
          extendedKeyUsages: undefined,
        },
      },
    ]);
    expect(findings.map(({ code }) => code)).to.deep.equal(["asks-for-authority"]);
    const forged = makeRequest({ key, publicKey: newKey() });
    const text = pem("NEW CERTIFICATE REQUEST", forged);
    expect(codes(await inspectBundle(text))).to.deep.equal(["bad-signature", "no-names"]);
  });

  it("lets no damaged block hide the others", async () => {
    const broken = pem("CERTIFICATE", Buffer.from("30030201ff", "hex"));
    const parameters = pem("DH PARAMETERS", sequence());
    const found = await inspectBundle(broken + parameters + pair.cert);
    expect(kinds(found)).to.deep.equal(["unreadable", "other", "certificate"]);
    expect(found.findings[0]).to.deep.include({ code: "unreadable", entry: 0 });
  });

  it("refuses what it cannot read, and what is too long", async () => {
    for (const [input, type, message] of [
      ["", SyntaxError, "neither PEM nor DER nor PKCS#12"],
      ["hello", SyntaxError, "neither PEM nor DER nor PKCS#12"],
      [Buffer.from("3000", "hex"), SyntaxError, "it is DER, but no certificate"],
      [Buffer.alloc(4_194_305), RangeError, "input must have at most 4194304 bytes, got 4194305"],
    ] as const) {
      const error = await rejection(inspectBundle(input));
      expect(error).to.be.instanceOf(type);
      expect(error.message).to.include(message);
    }
    const error = await rejection(inspectBundle("", { pasword: "x" } as never));
    expect(error.message).to.include('did you mean "password"?');
  });

  it("refuses a PKCS#12 file that asks for endless work", async () => {
    const data = Buffer.from("2a864886f70d010701", "hex");
    const content = sequence(der(0x06, data), der(0xa0, der(0x04, sequence())));
    for (const [iterations, message] of [
      ["7fffffff", "it asks for 2147483647 iterations, 1 to 4000000 are allowed here"],
      ["00", "it asks for 0 iterations"],
      ["ff", "it asks for -1 iterations"],
      ["7fffffffffff", "it asks for countless iterations"],
    ] as const) {
      const sha256 = sequence(der(0x06, Buffer.from("608648016503040201", "hex")), der(0x05));
      const mac = sequence(
        sequence(sha256, der(0x04, Buffer.alloc(32))),
        der(0x04, Buffer.alloc(16)),
        der(0x02, Buffer.from(iterations, "hex")),
      );
      const greedy = sequence(der(0x02, Buffer.of(3)), content, mac);
      const error = await rejection(inspectBundle(greedy, { password: "x" }));
      expect(error).to.be.instanceOf(SyntaxError);
      expect(error.message).to.include(message);
    }
  });

  it("survives damaged and random input with its own errors, in time", async function () {
    this.timeout(20_000);
    const { pkcs12 } = await toPkcs12(pair, { password: "x" });
    const request = makeRequest({ key: newKey(), extensions: [alternativeNames("a.test")] });
    const certificate = Buffer.from(pair.cert.split("\n").slice(1, -2).join(""), "base64");
    const real = [certificate, request, pkcs12, Buffer.from(pair.cert + pair.key)];
    const input = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([Buffer.of(0x30), bytes])),
      fc
        .tuple(fc.constantFrom(...real), fc.nat(5000))
        .map(([bytes, end]) => bytes.subarray(0, end % bytes.length)),
      fc
        .tuple(
          fc.constantFrom(...real),
          fc.array(fc.tuple(fc.nat(5000), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        )
        .map(([bytes, changes]) => {
          const damaged = Buffer.from(bytes);
          for (const [at, value] of changes) damaged[at % damaged.length] = value;
          return damaged;
        }),
      fc
        .tuple(fc.constantFrom("CERTIFICATE", "PRIVATE KEY", "CERTIFICATE REQUEST"), fc.string())
        .map(([label, body]) =>
          Buffer.from(`-----BEGIN ${label}-----\n${body}\n-----END ${label}-----`),
        ),
    );
    await fc.assert(
      fc.asyncProperty(input, async (bytes) => {
        try {
          JSON.stringify(await inspectBundle(bytes, { password: "x" }));
        } catch (error) {
          const { name } = error as Error;
          expect(name, String((error as Error).stack)).to.match(/^(?:SyntaxError|CertError)$/);
        }
      }),
      { numRuns: 500 },
    );
  });
});

function named(...names: readonly string[]): LinkRecipe {
  return { extensions: (key, issuerKey) => leafExtensions(key, issuerKey, ...names) };
}

function kinds({ entries }: Inspection): string[] {
  return entries.map(({ kind }) => kind);
}

function codes({ findings }: Inspection): string[] {
  return findings.map(({ code }) => code);
}

function rsa(modulusLength: number): KeyObject {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  return createPrivateKey(privateKey);
}
