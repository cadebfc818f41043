import { expect } from "chai";
import { describe, it } from "mocha";
import { COMMON_NAME } from "../support/certificate-maker.ts";
import {
  constrained,
  judge,
  leafFor,
  link,
  opensslVerdict,
  type Case,
} from "../support/chain-verdict.ts";
import { requireProgram } from "../support/external.ts";
import { tempDirectory } from "../support/temp-directory.ts";
const EMAIL = "1.2.840.113549.1.9.1";

const CASES: readonly Case[] = [
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

describe("verifyCertificate() beside openssl verify -x509_strict, on names", () => {
  const directory = tempDirectory();
  for (const { title, chain, host, expected } of CASES) {
    it(`agrees on ${title}: ${expected}`, async function () {
      const openssl = requireProgram(this, "openssl");
      const made = chain();
      const { code, reason } = await judge(made, host);
      const reference = opensslVerdict(openssl, directory, made, host);
      expect(code, reason).to.equal(expected);
      expect(reference === "OK", reference).to.equal(expected === "valid");
    });
  }
});
