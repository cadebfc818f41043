import { generateKeyPairSync } from "node:crypto";
import { type CertificatePair, TlsError, validateCertificatePair } from "@hauberk/tls";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { testAuthority } from "../support/test-authority.ts";

const DAY_MS = 86_400_000;
const root = testAuthority();
const middle = root.intermediate("Test intermediate");
const good = middle.issue({ names: ["example.test", "*.Example.test", "127.0.0.1"] });
const other = root.issue({ names: ["other.test"] });
const [leafBlock = "", middleBlock = ""] = good.cert.split(/(?<=-----END CERTIFICATE-----\n)/);

function refusal(pair: CertificatePair, now?: number): TlsError {
  try {
    validateCertificatePair(pair, now === undefined ? {} : { now: () => now });
  } catch (error) {
    if (error instanceof TlsError) return error;
    throw error;
  }
  throw new Error("Expected the pair to be refused");
}

describe("validateCertificatePair()", () => {
  it("returns names, dates and fingerprint of a leaf with its intermediate", () => {
    const details = validateCertificatePair(good);
    expect(details.serverNames).to.deep.equal(["example.test", "*.example.test"]);
    expect(details.notAfter.getTime() - details.notBefore.getTime()).to.be.within(
      90 * DAY_MS,
      91 * DAY_MS,
    );
    expect(details.fingerprint256).to.match(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });

  it("accepts text around the blocks and CRLF line ends", () => {
    const commented = `subject=example\n${good.cert}# end\n`;
    expect(validateCertificatePair({ ...good, cert: commented }).serverNames).to.have.length(2);
    const crlf = {
      key: good.key.replaceAll("\n", "\r\n"),
      cert: good.cert.replaceAll("\n", "\r\n"),
    };
    expect(validateCertificatePair(crlf).serverNames).to.have.length(2);
  });

  it("accepts a whole chain with its root", () => {
    const cert = good.cert + root.certificate;
    expect(validateCertificatePair({ ...good, cert }).serverNames).to.have.length(2);
  });

  const half = Math.floor(leafBlock.length / 2);
  const cases: readonly (readonly [string, CertificatePair, TlsError["code"], RegExp])[] = [
    ["an empty cert", { ...good, cert: "" }, "ERR_TLS_CERTIFICATE_INVALID", /cert is empty/],
    ["a blank cert", { ...good, cert: " \n" }, "ERR_TLS_CERTIFICATE_INVALID", /cert is empty/],
    ["an empty key", { ...good, key: "" }, "ERR_TLS_KEY_INVALID", /key is empty/],
    ["a cert that is no PEM", { ...good, cert: "hello" }, "ERR_TLS_CERTIFICATE_INVALID", /no PEM/],
    ["a key that is no PEM", { ...good, key: "hello" }, "ERR_TLS_KEY_INVALID", /no PEM/],
    [
      "key and cert in each other's place",
      { key: good.cert, cert: good.key },
      "ERR_TLS_CERTIFICATE_INVALID",
      /swapped/,
    ],
    ["a cert as key", { ...good, key: good.cert }, "ERR_TLS_KEY_INVALID", /swapped/],
    [
      "a half-written leaf",
      { ...good, cert: leafBlock.slice(0, half) },
      "ERR_TLS_CERTIFICATE_INVALID",
      /half-written/,
    ],
    [
      "a half-written intermediate",
      { ...good, cert: good.cert.slice(0, -half) },
      "ERR_TLS_CERTIFICATE_INVALID",
      /half-written/,
    ],
    [
      "a half-written key",
      { ...good, key: good.key.slice(0, 100) },
      "ERR_TLS_KEY_INVALID",
      /half-written/,
    ],
    [
      "a certificate with broken content",
      { ...good, cert: leafBlock.replace(/\nMII[^\n]*/, "") },
      "ERR_TLS_CERTIFICATE_INVALID",
      /certificate 1 of 1 does not parse/,
    ],
    ["the key of another certificate", { ...good, key: other.key }, "ERR_TLS_KEY_MISMATCH", /key/],
    [
      "an intermediate before its leaf",
      { ...good, cert: middleBlock + leafBlock },
      "ERR_TLS_CHAIN_ORDER",
      /certificate 2 of 2, the leaf must come first/,
    ],
    [
      "a chain with a foreign certificate",
      { ...good, cert: leafBlock + other.cert },
      "ERR_TLS_CHAIN_ORDER",
      /certificate 2 of 2 did not issue/,
    ],
    [
      "a chain with the root before the intermediate",
      { ...good, cert: leafBlock + root.certificate + middleBlock },
      "ERR_TLS_CHAIN_ORDER",
      /certificate 2 of 3 did not issue/,
    ],
    [
      "a certificate for clients",
      root.issue({ purpose: "clientAuth" }),
      "ERR_TLS_CERTIFICATE_PURPOSE",
      /1\.3\.6\.1\.5\.5\.7\.3\.2/,
    ],
    [
      "an RSA key of 1024 bits",
      root.issue({ keyPair: generateKeyPairSync("rsa", { modulusLength: 1024 }) }),
      "ERR_TLS_KEY_UNSUITABLE",
      /RSA with 1024 bits/,
    ],
    [
      "a key on a curve browsers do not know",
      root.issue({ keyPair: generateKeyPairSync("ec", { namedCurve: "secp256k1" }) }),
      "ERR_TLS_KEY_UNSUITABLE",
      /ec secp256k1/,
    ],
    [
      "an expired leaf",
      root.issue({ notAfter: new Date(Date.now() - 1000) }),
      "ERR_TLS_CERTIFICATE_EXPIRED",
      /certificate 1 of 1, "DNS:localhost", expired on/,
    ],
    [
      "a leaf from the future",
      root.issue({ notBefore: new Date(Date.now() + DAY_MS) }),
      "ERR_TLS_CERTIFICATE_NOT_YET_VALID",
      /valid from .* check the clock/,
    ],
  ];
  for (const [what, pair, code, message] of cases) {
    it(`refuses ${what} with ${code}`, () => {
      const error = refusal(pair);
      expect(error.code).to.equal(code);
      expect(error.message).to.match(message);
    });
  }

  it("refuses an encrypted key without asking for a passphrase", () => {
    const { privateKey } = generateKeyPairSync("ec", {
      namedCurve: "P-256",
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" },
    });
    expect(refusal({ ...good, key: privateKey }).message).to.match(/encrypted/);
  });

  it("judges dates by the clock it is given, the intermediate's too", () => {
    expect(refusal(good, Date.now() + 91 * DAY_MS).code).to.equal("ERR_TLS_CERTIFICATE_EXPIRED");
    expect(refusal(good, Date.now() - DAY_MS / 2).code).to.equal(
      "ERR_TLS_CERTIFICATE_NOT_YET_VALID",
    );
    const outliving = middle.issue({ notAfter: new Date(Date.now() + 800 * DAY_MS) });
    const error = refusal(outliving, Date.now() + 400 * DAY_MS);
    expect(error.message).to.match(/certificate 2 of 2, "CN=Test intermediate", expired/);
  });

  it("never shows the key in what it says", () => {
    const secret = good.key.split("\n")[1] ?? "";
    for (const pair of [
      { ...other, key: good.key },
      { key: good.cert, cert: good.key },
    ]) {
      const error = refusal(pair);
      expect(`${error.stack} ${String(error.cause)}`).to.not.include(secret);
    }
  });

  it("refuses what is not text with a TypeError", () => {
    expect(() => validateCertificatePair({ ...good, cert: undefined as never })).to.throw(
      TypeError,
      /pair\.cert must be PEM text, got undefined/,
    );
    expect(() => validateCertificatePair({ ...good, key: 7 as never })).to.throw(
      TypeError,
      /pair\.key/,
    );
  });

  it("refuses every truncation of a good pair with a TlsError", () => {
    fc.assert(
      fc.property(
        fc.nat(leafBlock.length - 27),
        fc.nat(good.key.length - 27),
        (certEnd, keyEnd) => {
          expect(refusal({ ...good, cert: leafBlock.slice(0, certEnd) }).code).to.equal(
            "ERR_TLS_CERTIFICATE_INVALID",
          );
          expect(refusal({ ...good, key: good.key.slice(0, keyEnd) }).code).to.equal(
            "ERR_TLS_KEY_INVALID",
          );
        },
      ),
      { numRuns: 50 },
    );
  });
});
