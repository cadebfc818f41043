import {
  createAuthority,
  DEVELOPMENT_NAMES,
  inspectCertificate,
  issueCertificate,
  type Authority,
  widenNames,
} from "@hauberk/cert";
import { expect } from "chai";
import { before, describe, it } from "mocha";
import { rejection } from "../support/rejection.ts";
import { INSIDE_NAMES, OUTSIDE_NAMES } from "../support/constrained-names.ts";

describe("name constraints of the development CA", () => {
  let authority: Authority;
  before(async () => {
    authority = await createAuthority();
  });

  for (const name of INSIDE_NAMES) {
    it(`permit ${name}`, async () => {
      const { cert } = await issueCertificate(authority, { names: [name] });
      expect(inspectCertificate(cert).names).to.have.lengthOf(1);
    });
  }

  for (const name of OUTSIDE_NAMES) {
    it(`exclude ${name}, also beside a permitted name, unless told otherwise`, async () => {
      const error = await rejection(issueCertificate(authority, { names: ["app.test", name] }));
      expect(error.code).to.equal("ERR_CERT_NAME_NOT_PERMITTED");
      expect(error.message).to.include(`Cannot issue a certificate for "${name}"`);
      expect(error.message).to.include("localhost, test, internal, local, home.arpa, 127.0.0.0/8");
      const { names } = await issueCertificate(authority, {
        names: [name],
        outsideConstraints: true,
      });
      expect(names).to.deep.equal([name]);
    });
  }

  it("can be widened with DEVELOPMENT_NAMES as the start", async () => {
    const wide = await createAuthority({
      nameConstraints: {
        dns: [...DEVELOPMENT_NAMES.dns, "corp.example"],
        ip: DEVELOPMENT_NAMES.ip,
      },
    });
    const names = ["corp.example", "*.corp.example", "app.test", "a@x.corp.example"];
    expect((await issueCertificate(wide, { names })).names).to.deep.equal(names);
    const refused = await rejection(issueCertificate(wide, { names: ["notcorp.example"] }));
    expect(refused.code).to.equal("ERR_CERT_NAME_NOT_PERMITTED");
  });

  it("can be left out, so that any name is permitted", async () => {
    const free = await createAuthority({ nameConstraints: false });
    const issued = await issueCertificate(free, { names: ["google.com", "8.8.8.8"] });
    expect(issued.names).to.deep.equal(["google.com", "8.8.8.8"]);
  });
});

describe("widenNames()", () => {
  it("adds host names, ranges and single addresses in canonical form, each once", () => {
    const wide = widenNames([
      "Example.COM.",
      "bücher.example",
      "203.0.113.0/24",
      "203.0.113.7",
      "2001:DB8::1",
      "test",
      "10.0.0.0/8",
      "example.com",
    ]);
    expect(wide).to.deep.equal({
      dns: [...DEVELOPMENT_NAMES.dns, "example.com", "xn--bcher-kva.example"],
      ip: [...DEVELOPMENT_NAMES.ip, "203.0.113.0/24", "203.0.113.7/32", "2001:db8::1/128"],
    });
  });

  it("refuses whatever is neither, and shows it", () => {
    for (const entry of [
      "",
      "*.example.com",
      "a..b",
      "10.1.0.0/8",
      "10.0.0.0/33",
      "1.2.3",
      "a b",
    ]) {
      expect(() => widenNames([entry])).to.throw(
        TypeError,
        `Cannot permit ${JSON.stringify(entry)}`,
      );
    }
  });
});
