import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import {
  createAuthority,
  inspectCertificate,
  issueCertificate,
  type Authority,
} from "@hauberk/cert";
import { expect } from "chai";
import { before, describe, it } from "mocha";
import { rejection } from "../support/rejection.ts";

const NOW = new Date("2026-11-22T10:00:00Z");
const DAY_MS = 86_400_000;

describe("issueCertificate()", () => {
  let authority: Authority;
  before(async () => {
    authority = await createAuthority({ now: new Date(NOW.getTime() - DAY_MS) });
  });

  it("issues a certificate that the CA signed, with the key that belongs to it", async () => {
    const issued = await issueCertificate(authority, { names: ["app.test"], now: NOW });
    const leaf = new X509Certificate(issued.cert);
    const issuer = new X509Certificate(issued.ca);
    expect(issued.ca).to.equal(authority.certificate);
    expect(leaf.checkIssued(issuer)).to.equal(true);
    expect(leaf.verify(issuer.publicKey)).to.equal(true);
    expect(leaf.checkPrivateKey(createPrivateKey(issued.key))).to.equal(true);
    expect(leaf.ca).to.equal(false);
    expect(leaf.keyUsage).to.deep.equal(["1.3.6.1.5.5.7.3.1"]);
    expect(leaf.serialNumber).to.equal(issued.serialNumber);
    expect(inspectCertificate(issued.cert).authorityKeyIdentifier).to.equal(
      inspectCertificate(issued.ca).subjectKeyIdentifier,
    );
  });

  it("returns and writes the names in canonical form", async () => {
    const issued = await issueCertificate(authority, {
      now: NOW,
      names: [
        "BÜCHER.test.",
        "::0001",
        "*.app.test",
        "a@app.test",
        "spiffe://app.test/a,b",
        "bücher.test",
      ],
    });
    const canonical = [
      "xn--bcher-kva.test",
      "::1",
      "*.app.test",
      "a@app.test",
      "spiffe://app.test/a,b",
    ];
    expect(issued.names).to.deep.equal(canonical);
    expect(inspectCertificate(issued.cert).names).to.deep.equal(canonical);
  });

  it("lasts 90 days counted from an hour ago", async () => {
    const { notBefore, notAfter, cert } = await issueCertificate(authority, {
      names: ["app.test"],
      now: NOW,
    });
    expect(notBefore.toISOString()).to.equal("2026-11-22T09:00:00.000Z");
    expect(notAfter.getTime() - notBefore.getTime()).to.equal(90 * DAY_MS - 1000);
    const summary = inspectCertificate(cert);
    expect(summary.notBefore).to.deep.equal(notBefore);
    expect(summary.notAfter).to.deep.equal(notAfter);
  });

  it("takes 1 to 825 whole days and nothing else", async () => {
    for (const days of [1, 825]) {
      const { notBefore, notAfter } = await issueCertificate(authority, {
        now: NOW,
        names: ["a.test"],
        days,
      });
      expect(Math.round((notAfter.getTime() - notBefore.getTime()) / DAY_MS)).to.equal(days);
    }
    for (const days of [0, 826, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const error = await rejection(
        issueCertificate(authority, { now: NOW, names: ["a.test"], days }),
      );
      expect(error).to.be.an.instanceOf(RangeError);
      expect(error.message).to.equal(`days must be an integer from 1 to 825, got ${days}`);
    }
  });

  it("stays within the life of its CA", async () => {
    const brief = await createAuthority({ days: 2, now: NOW });
    const issued = await issueCertificate(brief, { names: ["a.test"], now: NOW });
    expect(issued.notBefore).to.deep.equal(brief.notBefore);
    expect(issued.notAfter).to.deep.equal(brief.notAfter);

    const early = await issueCertificate(brief, { names: ["a.test"], now: brief.notBefore });
    expect(early.notBefore).to.deep.equal(brief.notBefore);
  });

  it("refuses to issue from a CA that is over or has not begun", async () => {
    const over = new Date(authority.notAfter.getTime() + 1000);
    const expired = await rejection(issueCertificate(authority, { names: ["a.test"], now: over }));
    expect(expired.code).to.equal("ERR_CERT_AUTHORITY_EXPIRED");
    const before1970 = new Date("1970-01-01T00:00:00Z");
    const clock = issueCertificate(authority, { names: ["a.test"], now: before1970 });
    expect((await rejection(clock)).code).to.equal("ERR_CERT_AUTHORITY_NOT_YET_VALID");
  });

  it("gives only an RSA key the usage keyEncipherment", async () => {
    for (const [key, usages] of [
      ["p256", "03020780"],
      ["rsa2048", "030205a0"],
    ] as const) {
      const { cert } = await issueCertificate(authority, { now: NOW, names: ["a.test"], key });
      const raw = new X509Certificate(cert).raw.toString("hex");
      // keyUsage (2.5.29.15), critical, as an OCTET STRING around a named bit list
      expect(raw).to.include(`0603551d0f0101ff0404${usages}`);
    }
  });

  it("uses the first DNS name of at most 64 characters as common name, and never an address", async () => {
    const long = `${"a".repeat(60)}.test`;
    const withLong = await issueCertificate(authority, { now: NOW, names: [long, "b.test"] });
    expect(inspectCertificate(withLong.cert).subject).to.include("CN=b.test");
    for (const names of [[long], ["127.0.0.1", "::1"], ["a@app.test"]]) {
      const { cert } = await issueCertificate(authority, { now: NOW, names });
      expect(inspectCertificate(cert).subject).to.equal("O=Hauberk development certificate");
    }
  });

  it("certifies a private key that it is given, and keeps it", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const issued = await issueCertificate(authority, {
      now: NOW,
      names: ["a.test"],
      key: privateKey,
    });
    expect(createPrivateKey(issued.key).equals(privateKey)).to.equal(true);
    expect(inspectCertificate(issued.cert).key).to.equal("p384");
  });

  it("refuses a public key and a key of an unsupported kind", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "secp521r1" });
    for (const [key, shown] of [
      [publicKey, "got a public key (secp521r1)"],
      [privateKey, "got a private key (secp521r1)"],
    ] as const) {
      const error = await rejection(
        issueCertificate(authority, { now: NOW, names: ["a.test"], key }),
      );
      expect(error).to.be.an.instanceOf(TypeError);
      expect(error.message).to.include(shown);
    }
  });

  it("refuses unknown and malformed options", async () => {
    const names = ["a.test"];
    for (const [options, message] of [
      [{ names, now: NOW, day: 3 }, 'issueCertificate: unknown option "day"; did you mean "days"?'],
      [
        { names, now: NOW, outsideConstraints: 1 },
        "outsideConstraints must be true or false, got 1",
      ],
      [{ names, now: NOW, key: "p521" }, "key must be one of"],
      [{}, "names must be an array"],
    ] as const) {
      const error = await rejection(issueCertificate(authority, options as never));
      expect(error).to.be.an.instanceOf(TypeError);
      expect(error.message).to.include(message);
    }
  });

  it("issues for servers, for clients or for both", async () => {
    for (const [purpose, usages] of [
      [undefined, ["1.3.6.1.5.5.7.3.1"]],
      ["server", ["1.3.6.1.5.5.7.3.1"]],
      ["client", ["1.3.6.1.5.5.7.3.2"]],
      ["both", ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]],
    ] as const) {
      const { cert } = await issueCertificate(authority, { names: ["a.test"], purpose, now: NOW });
      expect(new X509Certificate(cert).keyUsage).to.deep.equal(usages);
    }
  });

  it("names a client after its e-mail address where it has no host name", async () => {
    for (const [purpose, names, commonName] of [
      ["client", ["ada@app.test"], ", CN=ada@app.test"],
      ["both", ["ada@app.test", "app.test"], ", CN=ada@app.test"],
      ["client", ["10.0.0.1", "app.test"], ", CN=app.test"],
      ["server", ["ada@app.test"], ""],
      ["client", [`${"a".repeat(60)}@app.test`], ""],
    ] as const) {
      const { cert } = await issueCertificate(authority, { names, purpose, now: NOW });
      const { subject } = inspectCertificate(cert);
      expect(subject).to.equal(`O=Hauberk development certificate${commonName}`);
    }
  });

  it("writes the organization asked for, in any script", async () => {
    for (const organization of ["A", "Bücher & Söhne, Ltd.", "株式会社", "x".repeat(64)]) {
      const { cert } = await issueCertificate(authority, {
        names: ["a.test"],
        organization,
        now: NOW,
      });
      const { O } = new X509Certificate(cert).toLegacyObject().subject as unknown as { O: string };
      expect(O).to.equal(organization);
    }
    for (const organization of ["", " a", "a ", "a\nb", "x".repeat(65), "\ud800", 7]) {
      const error = await rejection(
        issueCertificate(authority, { names: ["a.test"], organization } as never),
      );
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.include("organization must be 1 to 64 characters");
    }
  });

  it("goes beyond 825 days only when told to", async () => {
    const names = ["a.test"];
    const error = await rejection(issueCertificate(authority, { names, days: 826, now: NOW }));
    expect(error).to.be.instanceOf(RangeError);
    const { notBefore, notAfter } = await issueCertificate(authority, {
      names,
      days: 1000,
      longLived: true,
      now: NOW,
    });
    expect(notAfter.getTime() - notBefore.getTime()).to.equal(1000 * DAY_MS - 1000);
    const tooLong = { names, days: 7301, longLived: true, now: NOW };
    expect((await rejection(issueCertificate(authority, tooLong))).message).to.include("1 to 7300");
  });

  it("issues one that ended a day ago, whenever the CA began", async () => {
    const { notBefore, notAfter } = await issueCertificate(authority, {
      names: ["a.test"],
      days: 30,
      expired: true,
      now: NOW,
    });
    expect(notAfter.toISOString()).to.equal("2026-11-21T08:59:59.000Z");
    expect(notAfter.getTime() - notBefore.getTime()).to.equal(30 * DAY_MS - 1000);
  });

  it("refuses an unknown purpose", async () => {
    for (const purpose of ["clientAuth", "toString", 1]) {
      const error = await rejection(
        issueCertificate(authority, { names: ["a.test"], purpose } as never),
      );
      expect(error.message).to.include("purpose must be one of server, client, both, got");
    }
  });
});
