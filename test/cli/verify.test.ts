import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority, issueCertificate } from "@hauberk/cert";
import { expect } from "chai";
import { before, describe, it } from "mocha";
import { makeChain } from "../support/certificate-chain.ts";
import { type Finished, runHauberk } from "../support/hauberk-process.ts";
import { tempDirectory } from "../support/temp-directory.ts";

describe("hauberk verify", () => {
  const folder = tempDirectory();
  const run = (...args: string[]): Promise<Finished> =>
    runHauberk(["verify", ...args], { cwd: folder });
  before(async () => {
    const authority = await createAuthority();
    const { cert, ca } = await issueCertificate(authority, { names: ["app.test"] });
    const chain = makeChain([{}, {}, {}]);
    const files = {
      "app.pem": cert,
      "ca.pem": ca,
      "leaf.pem": chain.leaf,
      "intermediate.pem": chain.intermediates.join(""),
      "fullchain.pem": chain.leaf + chain.intermediates.join(""),
      "root.pem": chain.root,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  });

  it("ends with 0 and shows the path when a client would take the certificate", async () => {
    const { code, stdout } = await run("app.pem", "--ca", "ca.pem", "--host", "APP.test");
    expect(code).to.equal(0);
    const [first, ...path] = stdout.trimEnd().split("\n");
    expect(first).to.match(/^app\.pem is valid for APP\.test until .* UTC$/);
    expect(path).to.have.lengthOf(2);
    expect(path[1]).to.match(/^ {2}2 {2}O=Hauberk development CA, .* \(trusted\)$/);
  });

  it("takes intermediates from the file and from --intermediate", async () => {
    const whole = await run("fullchain.pem", "--ca", "root.pem");
    const apart = await run("leaf.pem", "--ca", "root.pem", "--intermediate", "intermediate.pem");
    expect([whole.code, apart.code]).to.deep.equal([0, 0]);
  });

  it("ends with 1 and the reason, and with 2 when called wrongly", async () => {
    for (const [args, wanted, message] of [
      [["app.pem"], 1, 'app.pem is not valid: its issuer "O=Hauberk development CA'],
      [
        ["app.pem", "--ca", "ca.pem", "--host", "b.test"],
        1,
        'app.pem is not valid: it is for "app.test", not for "b.test"',
      ],
      [["app.pem", "--ca", "ca.pem", "--at", "2045-01-31"], 1, "is not valid: it expired on"],
      [
        ["app.pem", "--ca", "ca.pem", "--at", "2001-01-31T12:00Z"],
        1,
        "is not valid: it is valid from",
      ],
      [["app.pem", "--ca", "ca.pem", "--client"], 1, "it is for serverAuth, not for clientAuth"],
      [["leaf.pem", "--ca", "root.pem"], 1, "is neither given nor trusted"],
      [["app.pem", "--ca", "nothing.pem"], 1, 'cannot read "nothing.pem": ENOENT'],
      [["app.pem", "--at", "tomorrow"], 2, '--at is "tomorrow"; it takes a date'],
      [["app.pem", "--at", "2027-13-01"], 2, '--at is "2027-13-01"; it takes a date'],
      [["app.pem", "--host", "a b"], 2, 'host must be a host name or an IP address, got "a b"'],
      [[], 2, "verify takes one certificate"],
    ] as const) {
      const { code, stderr } = await run(...args);
      expect(stderr, args.join(" ")).to.include(message);
      expect(code, args.join(" ")).to.equal(wanted);
    }
  }).timeout(15_000);
});
