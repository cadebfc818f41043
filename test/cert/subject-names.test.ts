import { X509Certificate } from "node:crypto";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { createAuthority, issueCertificate, parseSubjectNames } from "@hauberk/cert";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { anyName, parseName } from "../support/any-name.ts";

const LABEL_63 = "a".repeat(63);

/** Input, and the canonical form as "type value". */
const ACCEPTED: readonly (readonly [input: string, canonical: string])[] = [
  ["localhost", "dns localhost"],
  ["localhost.", "dns localhost"],
  ["App.TEST", "dns app.test"],
  ["a-b.c--d.test", "dns a-b.c--d.test"],
  ["1.test", "dns 1.test"],
  ["127.0.0.1.test", "dns 127.0.0.1.test"],
  ["*.app.test", "dns *.app.test"],
  ["*.BÜCHER.test.", "dns *.xn--bcher-kva.test"],
  ["*.co.uk", "dns *.co.uk"],
  ["bücher.test", "dns xn--bcher-kva.test"],
  ["XN--BCHER-KVA.test", "dns xn--bcher-kva.test"],
  ["faß.test", "dns xn--fa-hia.test"],
  ["क्‍ष.test", "dns xn--11b2ezcw70k.test"],
  ["аpple.test", "dns xn--pple-43d.test"],
  ["a。b.test", "dns a.b.test"],
  [`${LABEL_63}.test`, `dns ${LABEL_63}.test`],
  [
    `${`${LABEL_63}.`.repeat(3)}${"b".repeat(61)}`,
    `dns ${`${LABEL_63}.`.repeat(3)}${"b".repeat(61)}`,
  ],
  ["127.0.0.1", "ip 127.0.0.1"],
  ["2001:DB8::0001", "ip 2001:db8::1"],
  ["1:0:0:2:0:0:0:3", "ip 1:0:0:2::3"],
  ["2001:db8:0:1:1:1:1:1", "ip 2001:db8:0:1:1:1:1:1"],
  ["::1.2.3.4", "ip ::102:304"],
  ["::", "ip ::"],
  ["Jo.Doe+x@APP.test", "email Jo.Doe+x@app.test"],
  ["a@bücher.test", "email a@xn--bcher-kva.test"],
  ["SPIFFE://App.Test/Work/1", "uri spiffe://app.test/Work/1"],
  ["ldap://[2001:DB8::0001]:389/x?y", "uri ldap://[2001:db8::1]:389/x?y"],
  ["tag://10.0.0.1/x,y", "uri tag://10.0.0.1/x,y"],
  ["URN:UUID:f81d4fae", "uri urn:uuid:f81d4fae"],
];

/** Input, and what stands after "Cannot use <input> as a certificate name: ". */
const REFUSED: readonly (readonly [input: string, reason: string])[] = [
  ["", "it is empty"],
  [".", "a part between two dots is empty"],
  ["a..b", "a part between two dots is empty"],
  [".test", "a part between two dots is empty"],
  ["a.test..", "a part between two dots is empty"],
  ["-a.test", 'the part "-a" starts or ends with a hyphen'],
  ["a-.test", 'the part "a-" starts or ends with a hyphen'],
  ["_x.test", "a host name has no underscore (RFC 1123 section 2.1); use a hyphen"],
  ["a%2eb.test", 'it contains "%"'],
  ["a\\b.test", 'it contains "\\\\"'],
  [`${"a".repeat(64)}.test`, `the part "${"a".repeat(64)}" has 64 characters, 63 are allowed`],
  [`${`${LABEL_63}.`.repeat(3)}${"b".repeat(62)}`, "it has 254 characters, 253 are allowed"],
  [`*.${`${LABEL_63}.`.repeat(3)}${"b".repeat(60)}`, "it has 254 characters, 253 are allowed"],
  ["*", 'a wildcard must be the whole first label, as in "*.app.test"'],
  ["*.", "a part between two dots is empty"],
  ["*.*.app.test", 'a wildcard must be the whole first label, as in "*.app.test"'],
  ["a*.app.test", 'a wildcard must be the whole first label, as in "*.app.test"'],
  ["a.*.test", 'a wildcard must be the whole first label, as in "*.app.test"'],
  [
    "*.com",
    "Node.js and browsers refuse a wildcard right under a top-level name; " +
      'list the names, or go one level deeper as in "*.app.com"',
  ],
  [
    "*.localhost",
    "Node.js and browsers refuse a wildcard right under a top-level name; " +
      'list the names, or go one level deeper as in "*.app.localhost"',
  ],
  ["xn--a.test", "it is not a valid internationalised name (UTS 46)"],
  ["xn--.test", "it is not a valid internationalised name (UTS 46)"],
  ["xn--zzzzzz--.test", "it is not a valid internationalised name (UTS 46)"],
  ["xn--xn---epa.test", "it is not a valid internationalised name (UTS 46)"],
  ["a\u200dpple.test", "it is not a valid internationalised name (UTS 46)"],
  ["\u202eapple.test", "it is not a valid internationalised name (UTS 46)"],
  ["a\0.test", "it contains white space or a control character"],
  ["a.test\n-----BEGIN", "it contains white space or a control character"],
  ["a .test", "it contains white space or a control character"],
  ["a/b", "it contains a slash or bracket"],
  ["localhost:8443", 'a certificate has no port; use "localhost"'],
  ["https://App.test/x", 'a web address is not a name; use its host "App.test"'],
  ["wss://[::1]:8443", 'a web address is not a name; use its host "::1"'],
  ["::ffff:1.2.3.4", 'it is an IPv4 address in IPv6 form; use "1.2.3.4"'],
  ["0:0:0:0:0:FFFF:0102:0304", 'it is an IPv4 address in IPv6 form; use "1.2.3.4"'],
  ["fe80::1%eth0", "the zone %eth0 has a meaning on one machine only"],
  ["[::1]", "write the address without brackets"],
  ["1::2::3", "it is not a valid IPv6 address"],
  ["::12345", "it is not a valid IPv6 address"],
  ["::g", "it is not a valid IPv6 address"],
  ["10.0.0.0/8", "it is a range; list single addresses"],
  ["fc00::/7", "it is a range; list single addresses"],
  ...[
    "127.1",
    "0x7f.0.0.1",
    "010.0.0.1",
    "256.1.1.1",
    "1.2.3.999",
    "1.2.3.4.5",
    "１２７.0.0.1",
  ].map(
    (input) =>
      [
        input,
        "it ends in a number, so it can only be an IPv4 address, " +
          "and those are four decimal numbers up to 255 without leading zeros",
      ] as const,
  ),
  ["@app.test", "what stands before the @ is not a plain ASCII mailbox name"],
  ["jürgen@app.test", "what stands before the @ is not a plain ASCII mailbox name"],
  ["a..b@app.test", "what stands before the @ is not a plain ASCII mailbox name"],
  [`${"a".repeat(65)}@app.test`, "what stands before the @ is not a plain ASCII mailbox name"],
  ["a@", "in the part after the @, a part between two dots is empty"],
  [
    "a@127.0.0.1",
    "in the part after the @, it ends in a number, so it can only be an IPv4 address, and those are four decimal numbers up to 255 without leading zeros",
  ],
  ["a@*.app.test", "an e-mail address has no wildcard"],
  ["spiffe://*.app.test/x", "a URI has no wildcard"],
  ["spiffe:///x", "a URI needs a host, and no user before it"],
  ["ldap://me:secret@app.test/", "a URI needs a host, and no user before it"],
  ["spiffe://app.test/ü", "a URI is ASCII; write other characters as %XX"],
  ["spiffe://app.test/%2", "a URI is ASCII; write other characters as %XX"],
  [
    "spiffe://_x.test/",
    "in its host, a host name has no underscore (RFC 1123 section 2.1); use a hyphen",
  ],
  ["urn:x", "a URN is urn:<namespace>:<name>"],
];

describe("parseSubjectNames()", () => {
  for (const [input, canonical] of ACCEPTED) {
    it(`takes ${JSON.stringify(input).slice(0, 60)} as ${canonical.slice(0, 60)}`, () => {
      const names = parseSubjectNames([input]).map(({ type, value }) => `${type} ${value}`);
      expect(names).to.deep.equal([canonical]);
    });
  }

  for (const [input, reason] of REFUSED) {
    it(`refuses ${JSON.stringify(input).slice(0, 60)}: ${reason.slice(0, 80)}`, () => {
      expect(() => parseSubjectNames([input]))
        .to.throw(TypeError)
        .with.property("message")
        .that.satisfies((message: string) => message.endsWith(` as a certificate name: ${reason}`));
    });
  }

  it("refuses the wildcards that Node's own check refuses, and takes those it takes", () => {
    for (const [wildcard, host] of [
      ["*.test", "a.test"],
      ["*.localhost", "a.localhost"],
      ["*.app.test", "a.app.test"],
      ["*.home.arpa", "a.home.arpa"],
    ] as const) {
      const peer = { subject: {}, subjectaltname: `DNS:${wildcard}` } as PeerCertificate;
      const isTakenByNode = checkServerIdentity(host, peer) === undefined;
      expect(parseName(wildcard) !== undefined, wildcard).to.equal(isTakenByNode);
    }
  });

  it("folds names that are the same in canonical form and keeps the order", () => {
    const names = parseSubjectNames([
      "b.test",
      "A.test.",
      "bücher.test",
      "a.test",
      "xn--bcher-kva.test",
    ]);
    expect(names.map(({ value }) => value)).to.deep.equal([
      "b.test",
      "a.test",
      "xn--bcher-kva.test",
    ]);
  });

  it("refuses an empty list, more than 100 names and what is no list of strings", () => {
    expect(() => parseSubjectNames([])).to.throw(
      TypeError,
      "names must hold 1 to 100 names, got 0",
    );
    const many = Array.from({ length: 101 }, (_, index) => `n${index}.test`);
    expect(() => parseSubjectNames(many)).to.throw(TypeError, "got 101");
    expect(parseSubjectNames(many.slice(1))).to.have.lengthOf(100);
    expect(() => parseSubjectNames("a.test" as never)).to.throw(TypeError, "must be an array");
    expect(() => parseSubjectNames(["a.test", 7 as never])).to.throw(
      TypeError,
      "names[1] must be a string, got 7",
    );
  });

  it("shows no control character, bidi override or line break of a refused name", () => {
    expect(() => parseSubjectNames(["\u009b31m\u202e\u2028\nx"])).to.throw(
      TypeError,
      'Cannot use "\\u{9b}31m\\u{202e}\\u{2028}\\nx" as a certificate name',
    );
  });

  it("gives back its own output for any name it accepts", () => {
    fc.assert(
      fc.property(anyName(), (name) => {
        const first = parseName(name);
        const second = first && parseName(first.value);
        expect(second).to.deep.equal(first);
      }),
    );
  });

  it("accepts only names that OpenSSL and Node read back from the certificate unchanged", async () => {
    const authority = await createAuthority({ nameConstraints: false });
    await fc.assert(
      fc.asyncProperty(fc.array(anyName(), { minLength: 1, maxLength: 4 }), async (inputs) => {
        const names = inputs.filter((input) => parseName(input) !== undefined);
        fc.pre(names.length > 0);
        const { cert } = await issueCertificate(authority, { names });
        const expected = parseSubjectNames(names).map(({ type, value }) => `${type} ${value}`);
        expect(readBack(cert)).to.deep.equal(expected);
      }),
    );
  });
});

const NODE_TYPES: Readonly<Record<string, string>> = {
  DNS: "dns",
  "IP Address": "ip",
  email: "email",
  URI: "uri",
};

/** Reads the text that Node makes of subjectAltName, where a value with a comma is in JSON quotes. */
function readBack(cert: string): string[] {
  const text = new X509Certificate(cert).subjectAltName ?? "";
  const entries = text.matchAll(/(DNS|IP Address|email|URI):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g);
  return [...entries].map(([, type = "", value = ""]) => {
    const plain = value.startsWith('"') ? String(JSON.parse(value)) : value;
    const isIpv6 = type === "IP Address" && plain.includes(":");
    const shown = isIpv6 ? new URL(`http://[${plain}]`).hostname.slice(1, -1) : plain;
    return `${NODE_TYPES[type] ?? type} ${shown}`;
  });
}
