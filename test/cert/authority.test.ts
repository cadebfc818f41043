import { X509Certificate } from "node:crypto";
import { inspect } from "node:util";
import { createAuthority, inspectCertificate, type KeyKind } from "@hauberk/cert";
import { expect } from "chai";
import { describe, it } from "mocha";
import { rejection } from "../support/rejection.ts";

const NOW = new Date("2026-11-22T10:00:00.500Z");

describe("createAuthority()", () => {
  it("makes a self-signed CA certificate on P-256 with the limits of a development CA", async () => {
    const authority = await createAuthority({ now: NOW });
    const summary = inspectCertificate(authority.certificate);
    expect(summary.isAuthority).to.equal(true);
    expect(summary.isSelfSigned).to.equal(true);
    expect(summary.key).to.equal("p256");
    expect(authority.key).to.equal("p256");
    expect(authority.constrained).to.equal(true);
    expect(summary.nameConstraints).to.deep.equal(authority.nameConstraints);
    expect(summary.nameConstraints?.permitted.dns).to.deep.equal([
      "localhost",
      "test",
      "internal",
      "local",
      "home.arpa",
    ]);
    expect(summary.nameConstraints?.permitted.ip).to.include.members(["10.0.0.0/8", "fc00::/7"]);
  });

  it("lasts ten years from an hour ago, to the second", async () => {
    const { notBefore, notAfter } = await createAuthority({ now: NOW });
    expect(notBefore.toISOString()).to.equal("2026-11-22T09:00:00.000Z");
    expect(notAfter.getTime() - notBefore.getTime()).to.equal(3650 * 86_400_000 - 1000);
  });

  it("writes dates on both sides of 2050 so that OpenSSL reads them back", async () => {
    for (const now of ["1960-02-29T00:30:00Z", "2049-12-30T23:00:00Z", "2051-01-01T00:30:00Z"]) {
      const { certificate, notBefore, notAfter } = await createAuthority({
        now: new Date(now),
        days: 3,
      });
      expect(notBefore.getTime()).to.equal(Date.parse(now) - 3_600_000);
      const validTo = Date.parse(new X509Certificate(certificate).validTo);
      expect(validTo).to.equal(notAfter.getTime());
      expect(validTo - notBefore.getTime()).to.equal(3 * 86_400_000 - 1000);
    }
  });

  it("is named after its key and tells nothing about user or host", async () => {
    const authority = await createAuthority();
    const id = inspectCertificate(authority.certificate).subjectKeyIdentifier?.slice(0, 8);
    expect(authority.subject).to.equal(`O=Hauberk development CA, CN=Hauberk development CA ${id}`);
  });

  it("gets a new positive serial number of 18 bytes each time", async () => {
    const authorities = await Promise.all(Array.from({ length: 20 }, () => createAuthority()));
    const serials = authorities.map(
      ({ certificate }) => inspectCertificate(certificate).serialNumber,
    );
    expect(new Set(serials).size).to.equal(20);
    for (const serial of serials) expect(serial).to.match(/^[4-7][0-9A-F]{35}$/);
  });

  it("shows its private key neither as a property nor when printed", async () => {
    const authority = await createAuthority();
    const shown = `${JSON.stringify(authority)}${inspect(authority, { depth: 9, showHidden: true })}`;
    expect(shown).not.to.match(/PRIVATE KEY|PrivateKeyObject/);
  });

  it("makes the kind of key asked for", async () => {
    for (const key of ["p384", "ed25519", "rsa2048"] satisfies KeyKind[]) {
      const authority = await createAuthority({ key });
      expect(inspectCertificate(authority.certificate).key).to.equal(key);
      expect(authority.key).to.equal(key);
    }
  });

  it("writes NULL parameters for RSA only (RFC 4055 section 5, RFC 5758 section 3.2)", async () => {
    for (const [key, algorithmIdentifier] of [
      ["rsa2048", "300d06092a864886f70d01010b0500"],
      ["p256", "300a06082a8648ce3d040302"],
      ["p384", "300a06082a8648ce3d040303"],
      ["ed25519", "300506032b6570"],
    ] as const) {
      const { certificate } = await createAuthority({ key });
      const der = new X509Certificate(certificate).raw.toString("hex");
      // Inside TBSCertificate, before the issuer, and once more around the signature.
      expect(der.split(algorithmIdentifier).length - 1).to.be.within(2, 3);
    }
  });

  it("takes other name constraints, in canonical form, and none only when told so", async () => {
    const wide = await createAuthority({
      nameConstraints: { dns: ["Corp.Example."], ip: ["2001:DB8::/32"] },
    });
    expect(wide.constrained).to.equal(true);
    expect(wide.nameConstraints?.permitted).to.deep.equal({
      dns: ["corp.example"],
      ip: ["2001:db8::/32"],
      email: ["corp.example", ".corp.example"],
      uri: ["corp.example", ".corp.example"],
    });
    const free = await createAuthority({ nameConstraints: false });
    expect(free.constrained).to.equal(false);
    expect(free.nameConstraints).to.equal(undefined);
  });

  it("refuses malformed options and says what is wanted", async () => {
    const cases: readonly (readonly [object, typeof TypeError | typeof RangeError, string])[] = [
      [{ dayz: 3 }, TypeError, 'unknown option "dayz"; did you mean "days"?'],
      [{ nameconstraint: false }, TypeError, 'did you mean "nameConstraints"?'],
      [{ banana: 1 }, TypeError, 'createAuthority: unknown option "banana"'],
      [{ days: 0 }, RangeError, "days must be an integer from 1 to 7300, got 0"],
      [{ days: 1.5 }, RangeError, "got 1.5"],
      [{ days: "9" }, TypeError, 'days must be a number, got "9"'],
      [{ key: "rsa1024" }, TypeError, "key must be one of p256, p384, ed25519"],
      [{ key: "toString" }, TypeError, "key must be one of"],
      [{ now: new Date(Number.NaN) }, TypeError, "now must be a valid Date"],
      [{ now: new Date("1950-06-01") }, RangeError, "now must lie in the years 1951 to 9000"],
      [{ nameConstraints: { dns: [], ip: ["10.0.0.0/8"] } }, TypeError, "nameConstraints.dns"],
      [{ nameConstraints: { dns: ["*.a.test"], ip: ["10.0.0.0/8"] } }, TypeError, "dns[0]"],
      [
        { nameConstraints: { dns: ["test"], ip: ["10.1.0.0/8"] } },
        TypeError,
        "ip[0] must be a range",
      ],
      [
        { nameConstraints: { dns: ["test"], ip: ["10.0.0.0/33"] } },
        TypeError,
        "ip[0] must be a range",
      ],
      [{ nameConstraints: { dns: ["test"] } }, TypeError, "nameConstraints.ip"],
      [[], TypeError, "options must be an object"],
    ];
    for (const [options, kind, message] of cases) {
      const error = await rejection(createAuthority(options));
      expect(error).to.be.an.instanceOf(kind);
      expect(error.message).to.include(message);
    }
  });
});
