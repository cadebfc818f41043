import { X509Certificate } from "node:crypto";
import { createAuthority, inspectCertificate, issueCertificate } from "@hauberk/cert";
import { expect } from "chai";
import { before, describe, it } from "mocha";

describe("inspectCertificate()", () => {
  let leaf: string;
  let ca: string;
  before(async () => {
    const authority = await createAuthority();
    ({ cert: leaf, ca } = await issueCertificate(authority, {
      names: ["app.test", "127.0.0.1", "fd00::1"],
    }));
  });

  it("says what Node says, with dates and types", () => {
    const summary = inspectCertificate(leaf);
    const certificate = new X509Certificate(leaf);
    expect(summary.subject).to.equal(certificate.subject.replace("\n", ", "));
    expect(summary.issuer).to.equal(certificate.issuer.replace("\n", ", "));
    expect(summary.serialNumber).to.equal(certificate.serialNumber);
    expect(summary.fingerprint256).to.equal(certificate.fingerprint256);
    expect(summary.notAfter.getTime()).to.equal(Date.parse(certificate.validTo));
    expect(summary.isAuthority).to.equal(false);
    expect(summary.isSelfSigned).to.equal(false);
    expect(summary.subjectNames).to.deep.equal([
      { type: "dns", value: "app.test" },
      { type: "ip", value: "127.0.0.1" },
      { type: "ip", value: "fd00::1" },
    ]);
    expect(summary.nameConstraints).to.equal(undefined);
  });

  it("reads the first certificate of a bundle, whatever stands around it", () => {
    const fingerprint = inspectCertificate(leaf).fingerprint256;
    for (const text of [
      leaf + ca,
      `\uFEFF${leaf}`,
      leaf.replaceAll("\n", "\r\n"),
      `subject=app.test\n${leaf}trailing text`,
      `-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n${leaf}`,
    ]) {
      expect(inspectCertificate(text).fingerprint256).to.equal(fingerprint);
    }
  });

  it("refuses text without a readable certificate", () => {
    const body = leaf.split("\n").slice(1, -2).join("\n");
    for (const [text, message] of [
      ["", "no CERTIFICATE block"],
      ["-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no CERTIFICATE block"],
      ["-----BEGIN CERTIFICATE-----\nAAAA\n", "END CERTIFICATE is missing"],
      ["-----BEGIN ", "a BEGIN line has no label"],
      ["-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----", "is not base64"],
      ["-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----", "is not base64"],
      ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "its DER is malformed"],
      [
        `-----BEGIN CERTIFICATE-----\n${body.slice(0, 200)}\n-----END CERTIFICATE-----`,
        "its DER is malformed",
      ],
    ] as const) {
      expect(() => inspectCertificate(text)).to.throw(SyntaxError, message);
    }
  });

  it("reads a certificate without a subject (Node 20 has none at all there)", () => {
    const summary = inspectCertificate(EMPTY_SUBJECT);
    expect(summary.subject).to.equal("");
    expect(summary.names).to.deep.equal(["empty.test"]);
    expect(summary.isSelfSigned).to.equal(true);
    expect(summary.key).to.equal("secp521r1");
  });
});

// SOURCE: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-521 -subj / -addext subjectAltName=critical,DNS:empty.test
const EMPTY_SUBJECT = `-----BEGIN CERTIFICATE-----
MIIB9jCCAVigAwIBAgIUfmOQMEAm8LLkV/eH6xTIDAjYM50wCgYIKoZIzj0EAwIw
ADAeFw0yNjExMjIwODIwMDNaFw0zNjExMTkwODIwMDNaMAAwgZswEAYHKoZIzj0C
AQYFK4EEACMDgYYABAHU7SQm1ANTyeDHJzPxeO+XaS3THXsqi2iW/RQsVDnlWiPl
O/lfKQM/CqEY1CVFSSavtWUxx/prW4zAN/M9ela3UACqdPII6wm4/JV5DmqUssuy
HuSSOAccNqMex0Sgb5usJUBi112a7Uebd+8aMOx6BFwaNBfVSB00wWw/7N8NZYN1
WqNtMGswHQYDVR0OBBYEFLvZrJoovZmByTQ8xbb7L4dNTPPrMB8GA1UdIwQYMBaA
FLvZrJoovZmByTQ8xbb7L4dNTPPrMA8GA1UdEwEB/wQFMAMBAf8wGAYDVR0RAQH/
BA4wDIIKZW1wdHkudGVzdDAKBggqhkjOPQQDAgOBiwAwgYcCQgGyDi4iJCXhSFp3
hfJhd3XLYVM8yY0Qr6SfuYlS2drIPAjPzVfn1/JpIJnd/NdleUpGy4Hfh6/tvx57
aMQAMdpaGwJBGdJbY84ZZrAAVNNaAjiacoFTpgkVVwQmrY27tK1nximW67cRLsE6
estbYm8pc2KoFIbii3Cyf2G+710uBnl+r2w=
-----END CERTIFICATE-----
`;
