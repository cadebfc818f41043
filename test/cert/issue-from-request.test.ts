import {
  createPrivateKey,
  generateKeyPairSync,
  X509Certificate,
  type KeyObject,
} from "node:crypto";
import {
  createAuthority,
  inspectCertificate,
  issueFromRequest,
  type Authority,
} from "@hauberk/cert";
import { expect } from "chai";
import fc from "fast-check";
import { before, describe, it } from "mocha";
import {
  alternativeNames,
  basicConstraints,
  COMMON_NAME,
  extendedKeyUsage,
  extension,
  keyUsage,
  makeRequest,
  newKey,
  subjectKeyIdentifier,
  type RequestRecipe,
} from "../support/certificate-maker.ts";
import { der, pem, sequence } from "../support/der-writer.ts";
import { rejection } from "../support/rejection.ts";

const KEY = newKey();
const NAMES = alternativeNames("app.test", "10.0.0.7");
const SHA1 = { oid: "1.2.840.10045.4.1", digest: "sha1" };
const MD5 = { oid: "1.2.840.113549.1.1.4", digest: "md5", hasNull: true };

/** What is asked, and why it is refused; what goes wrong comes after "Cannot sign the request: ". */
const REFUSED: readonly (readonly [title: string, recipe: () => RequestRecipe, reason: string])[] =
  [
    [
      "a signature of another key",
      () => ({ key: KEY, publicKey: newKey(), extensions: [NAMES] }),
      "its signature does not fit its key, so nothing proves who holds the key",
    ],
    [
      "a signature that names another algorithm",
      () => ({
        key: KEY,
        signature: { oid: "1.2.840.113549.1.1.11", digest: "sha256", hasNull: true },
        extensions: [NAMES],
      }),
      "its signature does not fit its key, so nothing proves who holds the key",
    ],
    [
      "an RSA key of 1024 bits",
      () => ({ key: rsa(1024), extensions: [NAMES] }),
      "its RSA key has 1024 bits, 2048 to 8192 are allowed",
    ],
    [
      "an RSA key with the exponent 3",
      () => ({ key: rsa(2048, 3), extensions: [NAMES] }),
      "its RSA key has the exponent 3, at least 65537 is allowed",
    ],
    [
      "a key on P-521",
      () => ({ key: curve("P-521"), extensions: [NAMES] }),
      "its key is of kind secp521r1; P-256, P-384, Ed25519 and RSA are taken",
    ],
    [
      "a key on P-224",
      () => ({ key: curve("P-224"), extensions: [NAMES] }),
      "its key is of kind secp224r1; P-256, P-384, Ed25519 and RSA are taken",
    ],
    [
      "a SHA-1 signature",
      () => ({ key: KEY, signature: SHA1, extensions: [NAMES] }),
      "it is signed with ecdsa-with-SHA1, whose hash is broken",
    ],
    [
      "an MD5 signature",
      () => ({ key: rsa(2048), signature: MD5, extensions: [NAMES] }),
      "it is signed with md5WithRSAEncryption, whose hash is broken",
    ],
    [
      "a signature algorithm without a name",
      () => ({ key: KEY, signature: { oid: "1.2.3.4", digest: "sha256" }, extensions: [NAMES] }),
      "it is signed with 1.2.3.4, which is not supported",
    ],
    ["no name at all", () => ({ key: KEY }), "it holds no name that a certificate can carry"],
    [
      "only a directory name",
      () => ({
        key: KEY,
        extensions: [extension("2.5.29.17", sequence(der(0xa4, sequence())))],
      }),
      "it holds no name that a certificate can carry",
    ],
    [
      "1000 names",
      () => ({
        key: KEY,
        extensions: [alternativeNames(...Array.from({ length: 1000 }, (_, i) => `n${i}.test`))],
      }),
      "it must hold 1 to 100 names, got 1000",
    ],
    [
      "a malformed name",
      () => ({ key: KEY, extensions: [alternativeNames("a..test")] }),
      'Cannot use "a..test" as a certificate name: a part between two dots is empty',
    ],
    [
      "a name with a NUL",
      () => ({ key: KEY, extensions: [alternativeNames("dns:app.test\0.evil.example")] }),
      'Cannot use "app.test\\u0000.evil.example" as a certificate name: it contains white space or a control character',
    ],
    [
      "an address written as a DNS name",
      () => ({ key: KEY, extensions: [alternativeNames("dns:10.0.0.7")] }),
      'it lists "10.0.0.7" as dns name, but that is ip',
    ],
    [
      "a host name written as a mailbox",
      () => ({ key: KEY, extensions: [alternativeNames("email:app.test")] }),
      'it lists "app.test" as email name, but that is dns',
    ],
    [
      "a common name that is no host",
      () => ({ key: KEY, subject: [[COMMON_NAME, "My Laptop"]] }),
      'Cannot use "My Laptop" as a certificate name: it contains white space or a control character',
    ],
  ];

describe("issueFromRequest()", () => {
  let authority: Authority;
  before(async () => {
    authority = await createAuthority();
  });

  it("certifies the key and the names of a request, PEM with either label or DER", async () => {
    const request = makeRequest({
      key: KEY,
      subject: [[COMMON_NAME, "app.test"]],
      extensions: [alternativeNames("APP.test.", "*.app.test", "10.0.0.7", "email:jo@app.test")],
    });
    for (const form of [
      request,
      pem("CERTIFICATE REQUEST", request),
      pem("NEW CERTIFICATE REQUEST", request),
      Buffer.from(`\uFEFFsubject=x\r\n${pem("NEW CERTIFICATE REQUEST", request)}`),
    ]) {
      const issued = await issueFromRequest(authority, form);
      expect(issued.names).to.deep.equal(["app.test", "*.app.test", "10.0.0.7", "jo@app.test"]);
      expect(issued.dropped).to.deep.equal([]);
      expect(issued.ca).to.equal(authority.certificate);
      const certificate = new X509Certificate(issued.cert);
      expect(certificate.checkPrivateKey(KEY)).to.equal(true);
      expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).to.equal(
        true,
      );
    }
  });

  for (const [kind, key] of [
    ["P-384", () => curve("P-384")],
    ["Ed25519", () => generateKeyPairSync("ed25519").privateKey],
    ["RSA of 2048 bits", () => rsa(2048)],
  ] as const) {
    it(`takes a key of kind ${kind}`, async () => {
      const privateKey = key();
      const request = makeRequest({ key: privateKey, extensions: [NAMES] });
      const { cert } = await issueFromRequest(authority, request);
      expect(new X509Certificate(cert).checkPrivateKey(privateKey)).to.equal(true);
    });
  }

  it("takes the common name when there is no subjectAltName", async () => {
    const request = makeRequest({ key: KEY, subject: [[COMMON_NAME, "Old.test"]] });
    const { names, dropped } = await issueFromRequest(authority, request);
    expect(names).to.deep.equal(["old.test"]);
    expect(dropped).to.deep.equal(["subject CN=Old.test"]);
  });

  it("drops what a leaf must not have and says so", async () => {
    const request = makeRequest({
      key: KEY,
      subject: [
        ["2.5.4.10", "Evil Corp"],
        [COMMON_NAME, "google.com"],
      ],
      extensions: [
        basicConstraints(true, 3),
        keyUsage(0, 2, 5, 6),
        extendedKeyUsage("1", "3", "1.3.6.1.4.1.311.10.3.3"),
        extension("2.5.29.17", sequence(der(0x82, Buffer.from("app.test")), der(0xa4, sequence()))),
        subjectKeyIdentifier(KEY),
        extension("1.3.6.1.5.5.7.1.24", sequence(der(0x02, Buffer.of(5)))),
      ],
    });
    const { cert, dropped } = await issueFromRequest(authority, request);
    expect(dropped).to.deep.equal([
      "subject O=Evil Corp",
      "subject CN=google.com",
      "basicConstraints CA:TRUE",
      "keyUsage keyEncipherment, keyCertSign, cRLSign",
      "extendedKeyUsage codeSigning, 1.3.6.1.4.1.311.10.3.3",
      "names of other types in subjectAltName",
      "extension 1.3.6.1.5.5.7.1.24",
    ]);
    const issued = inspectCertificate(cert);
    expect(issued.isAuthority).to.equal(false);
    expect(issued.names).to.deep.equal(["app.test"]);
    expect(issued.subject).to.not.match(/Evil|google/);
    expect(new X509Certificate(cert).keyUsage).to.deep.equal(["1.3.6.1.5.5.7.3.1"]);
  });

  for (const [title, recipe, reason] of REFUSED) {
    it(`refuses ${title}`, async () => {
      const error = await rejection(issueFromRequest(authority, makeRequest(recipe())));
      expect(error.code).to.equal("ERR_CERT_REQUEST_REFUSED");
      expect(error.message).to.equal(`Cannot sign the request: ${reason}`);
    });
  }

  it("refuses names outside the constraints of the CA, unless told to", async () => {
    const request = makeRequest({ key: KEY, extensions: [alternativeNames("google.com")] });
    const error = await rejection(issueFromRequest(authority, request));
    expect(error.code).to.equal("ERR_CERT_NAME_NOT_PERMITTED");
    const { names } = await issueFromRequest(authority, request, { outsideConstraints: true });
    expect(names).to.deep.equal(["google.com"]);
  });

  it("refuses what is no request with a SyntaxError", async () => {
    const request = makeRequest({ key: KEY, extensions: [NAMES] });
    for (const [text, message] of [
      ["", "there is no CERTIFICATE REQUEST block"],
      [pem("CERTIFICATE", request), "there is no CERTIFICATE REQUEST block"],
      [pem("CERTIFICATE REQUEST", sequence()), "it is no PKCS#10 structure"],
      [request.subarray(0, 80), "it ends inside an element"],
      [Buffer.concat([request, Buffer.of(0, 0)]), "one element with tag 0x30 expected"],
    ] as const) {
      const error = await rejection(issueFromRequest(authority, text));
      expect(error).to.be.instanceOf(SyntaxError);
      expect(error.message).to.include(message);
    }
  });

  it("refuses options it does not know", async () => {
    const error = await rejection(issueFromRequest(authority, "", { names: ["a.test"] } as never));
    expect(error.message).to.equal('issueFromRequest: unknown option "names"');
  });

  it("refuses any damaged request with one of its own errors", async () => {
    const request = makeRequest({ key: KEY, extensions: [NAMES, basicConstraints(false)] });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(request.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const damaged = Buffer.from(request);
          damaged[at] = (damaged[at] ?? 0) ^ flip;
          const error = await rejection(issueFromRequest(authority, damaged));
          expect(error.code ?? error.name).to.match(/^(ERR_CERT_|SyntaxError)/);
        },
      ),
      { numRuns: 300 },
    );
  });
});

function rsa(modulusLength: number, publicExponent = 65537): KeyObject {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength,
    publicExponent,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  return createPrivateKey(privateKey);
}

function curve(namedCurve: string): KeyObject {
  return generateKeyPairSync("ec", { namedCurve }).privateKey;
}
