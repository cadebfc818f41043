import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { createAuthority, issueCertificate, toPkcs12, type IssuedCertificate } from "@hauberk/cert";
import { expect } from "chai";
import { before, describe, it } from "mocha";
import { rejection } from "../support/rejection.ts";

describe("toPkcs12()", () => {
  let pair: IssuedCertificate;
  before(async () => {
    pair = await issueCertificate(await createAuthority(), { names: ["app.test", "10.0.0.7"] });
  });

  for (const legacy of [false, true]) {
    for (const password of [
      "changeit",
      "p\u00e4ssw\u00f6rt \u2713 \u{1f512}",
      "x",
      "a".repeat(512),
    ]) {
      it(`is opened by Node with ${JSON.stringify(password.slice(0, 20))}${legacy ? ", legacy" : ""}`, async () => {
        const { pkcs12 } = await toPkcs12(pair, { password, legacy });
        createSecureContext({ pfx: pkcs12, passphrase: password });
        expect(() => createSecureContext({ pfx: pkcs12, passphrase: `${password}x` })).to.throw(
          /mac verify failure/,
        );
      });
    }
  }

  it("makes another random password each time when none is given", async () => {
    const first = await toPkcs12(pair);
    const second = await toPkcs12(pair);
    expect(first.password).to.match(/^[\w-]{20}$/);
    expect(second.password).to.not.equal(first.password);
    createSecureContext({ pfx: first.pkcs12, passphrase: first.password });
  });

  it("refuses a key that belongs to another certificate", async () => {
    const other = await issueCertificate(await createAuthority(), { names: ["app.test"] });
    const error = await rejection(toPkcs12({ ...pair, key: other.key }));
    expect(error).to.be.instanceOf(TypeError);
    expect(error.message).to.equal(
      "Cannot make PKCS#12: the key does not belong to the certificate",
    );
  });

  it("refuses malformed options and never shows the password", async () => {
    for (const [options, message] of [
      [{ password: "" }, "password must be a text of 1 to 512 characters without NUL"],
      [{ password: "sec\0ret" }, "password must be a text of 1 to 512 characters without NUL"],
      [{ password: 12345 }, "password must be a text of 1 to 512 characters without NUL"],
      [{ friendlyName: "a\nb" }, 'friendlyName must be a text of 1 to 100 characters, got "a\\nb"'],
      [{ legacy: "yes" }, 'legacy must be true or false, got "yes"'],
      [{ pasword: "x" }, 'toPkcs12: unknown option "pasword"; did you mean "password"?'],
    ] as const) {
      const error = await rejection(toPkcs12(pair, options as never));
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.equal(message);
    }
  });

  it("takes a chain and puts each certificate in once", async () => {
    const { cert, ca, key } = pair;
    const plain = await toPkcs12({ key, cert, ca }, { password: "secret" });
    const doubled = await toPkcs12({ key, cert: cert + ca, ca }, { password: "secret" });
    expect(doubled.pkcs12.length).to.equal(plain.pkcs12.length);
    const alone = await toPkcs12({ key, cert }, { password: "secret" });
    const difference = plain.pkcs12.length - alone.pkcs12.length;
    expect(difference).to.be.within(
      new X509Certificate(ca).raw.length,
      new X509Certificate(ca).raw.length + 100,
    );
    expect(createPrivateKey(key).type).to.equal("private");
  });
});
