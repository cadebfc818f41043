import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import {
  devCertificate,
  inspectCertificate,
  type DevCertificate,
  type DevCertificateOptions,
} from "@hauberk/cert";
import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const DAY_MS = 86_400_000;
const NOW = new Date("2026-11-22T10:00:00Z");

function inDays(days: number): Date {
  return new Date(NOW.getTime() + days * DAY_MS);
}

function expectPairOnDisk({ certFile, keyFile, cert, key }: DevCertificate): void {
  expect(readFileSync(certFile, "utf8")).to.equal(cert);
  expect(readFileSync(keyFile, "utf8")).to.equal(key);
  expect(new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))).to.equal(true);
}

describe("devCertificate()", () => {
  const root = tempDirectory();
  const authorityDirectory = join(root, "home");
  let directory: string;
  let round = 0;

  beforeEach(() => {
    round += 1;
    directory = join(root, `certs-${round}`);
  });

  async function make(
    names: readonly string[] = ["app.test"],
    options: DevCertificateOptions = {},
  ): Promise<DevCertificate> {
    return devCertificate(names, { directory, authorityDirectory, now: NOW, ...options });
  }

  it("writes certificate and key, and tells where the CA is", async () => {
    const made = await make(["app.test", "127.0.0.1"]);
    expect(made.status).to.equal("created");
    expect(made.names).to.deep.equal(["app.test", "127.0.0.1"]);
    expect(made.notAfter).to.deep.equal(inspectCertificate(made.cert).notAfter);
    expect(readFileSync(made.caFile, "utf8")).to.equal(made.ca);
    expectPairOnDisk(made);
    expect(readdirSync(directory).toSorted()).to.deep.equal([
      "app.test+1-key.pem",
      "app.test+1.pem",
    ]);
  });

  it("makes the folder 0700, the key 0600 and the certificate 0644", async () => {
    const { certFile, keyFile } = await make();
    const modes = [directory, keyFile, certFile].map((path) => statSync(path).mode & 0o777);
    expect(modes.map((mode) => mode.toString(8))).to.deep.equal(["700", "600", "644"]);
  });

  it("says whether it made the CA", async () => {
    const home = join(directory, "home");
    expect((await make(["a.test"], { authorityDirectory: home })).authorityCreated).to.equal(true);
    expect((await make(["b.test"], { authorityDirectory: home })).authorityCreated).to.equal(false);
  });

  it("reuses the pair for the same names in any order and spelling", async () => {
    const first = await make(["app.test", "::1"]);
    const again = await make(["APP.test.", "0::1", "app.test"]);
    expect(again.status).to.equal("reused");
    expect(again.cert).to.equal(first.cert);
    expect(again.key).to.equal(first.key);
  });

  it("renews with the same key once a third of the life is left, and not before", async () => {
    const first = await make();
    expect((await make(undefined, { now: inDays(59) })).status).to.equal("reused");
    const renewed = await make(undefined, { now: inDays(60) });
    expect(renewed.status).to.equal("renewed");
    expect(renewed.key).to.equal(first.key);
    expect(renewed.notAfter.getTime() - first.notAfter.getTime()).to.equal(60 * DAY_MS);
    expectPairOnDisk(renewed);
  });

  it("replaces a pair that is not yet valid", async () => {
    await make(undefined, { now: inDays(10) });
    expect((await make(undefined, { now: inDays(0) })).status).to.equal("renewed");
  });

  it("replaces a certificate for other names under the same file name", async () => {
    const first = await make(["app.test", "a.test"]);
    const second = await make(["app.test", "b.test"]);
    expect(second.certFile).to.equal(first.certFile);
    expect(second.status).to.equal("renewed");
    expect(inspectCertificate(readFileSync(second.certFile, "utf8")).names).to.deep.equal([
      "app.test",
      "b.test",
    ]);
  });

  it("replaces a certificate of another CA", async () => {
    await make();
    const home = join(directory, "other-home");
    const second = await make(undefined, { authorityDirectory: home });
    expect(second.status).to.equal("renewed");
    const issuer = new X509Certificate(second.ca);
    expect(new X509Certificate(second.cert).verify(issuer.publicKey)).to.equal(true);
  });

  it("replaces a good pair only when forced, and keeps the key", async () => {
    const first = await make();
    const forced = await make(undefined, { force: true });
    expect(forced.status).to.equal("renewed");
    expect(forced.key).to.equal(first.key);
    expect(forced.cert).not.to.equal(first.cert);
  });

  it("makes a new key when another kind is asked for, and keeps it when none is", async () => {
    await make();
    const ed25519 = await make(undefined, { key: "ed25519" });
    expect(ed25519.status).to.equal("renewed");
    expect(inspectCertificate(ed25519.cert).key).to.equal("ed25519");
    expectPairOnDisk(ed25519);
    const kept = await make(undefined, { force: true });
    expect(kept.key).to.equal(ed25519.key);
  });

  it("goes on with a key whose certificate was never written", async () => {
    const first = await make();
    rmSync(first.certFile);
    const second = await make();
    expect(second.status).to.equal("created");
    expect(second.key).to.equal(first.key);
    expectPairOnDisk(second);
  });

  it("makes a new pair when the key is gone", async () => {
    const first = await make();
    rmSync(first.keyFile);
    const second = await make();
    expect(second.key).not.to.equal(first.key);
    expectPairOnDisk(second);
  });

  it("replaces a damaged certificate", async () => {
    const { certFile } = await make();
    for (const text of ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]) {
      writeFileSync(certFile, text);
      const again = await make();
      expect(again.status).to.equal("renewed");
      expectPairOnDisk(again);
    }
  });

  it("leaves a damaged key alone and says what to do", async () => {
    const { keyFile, certFile } = await make();
    const cert = readFileSync(certFile, "utf8");
    writeFileSync(keyFile, "precious");
    const error = await rejection(make());
    expect(error.code).to.equal("ERR_CERT_KEY_INVALID");
    expect(error.message).to.include(keyFile).and.to.include("remove it");
    expect(readFileSync(keyFile, "utf8")).to.equal("precious");
    expect(readFileSync(certFile, "utf8")).to.equal(cert);
  });

  it("takes the rights of others away from the key, also when it reuses the pair", async () => {
    const { keyFile, certFile } = await make();
    for (const prepare of [
      () => undefined,
      () => {
        rmSync(certFile);
      },
    ]) {
      chmodSync(keyFile, 0o644);
      prepare();
      await make();
      expect((statSync(keyFile).mode & 0o777).toString(8)).to.equal("600");
    }
  });

  it("ends at one matching pair when called many times at once", async () => {
    const made = await Promise.all(Array.from({ length: 10 }, () => make()));
    expect(made.filter(({ status }) => status === "created")).to.have.lengthOf(1);
    expect(new Set(made.map(({ cert }) => cert)).size).to.equal(1);
    for (const one of made) expectPairOnDisk(one);
  });

  it("ends at a matching pair when different kinds of key are forced at once", async () => {
    const kinds = ["p256", "p384", "ed25519", "p256", "p384", "ed25519"] as const;
    const made = await Promise.all(kinds.map((key) => make(undefined, { key, force: true })));
    const { certFile, keyFile } = await make();
    const certificate = new X509Certificate(readFileSync(certFile));
    expect(certificate.checkPrivateKey(createPrivateKey(readFileSync(keyFile)))).to.equal(true);
    for (const [index, { cert }] of made.entries()) {
      expect(inspectCertificate(cert).key).to.equal(kinds[index]);
    }
  });

  it("reports what the system says when the certificate's path is a folder", async () => {
    const first = await make();
    rmSync(first.certFile);
    mkdirSync(first.certFile);
    const error = await rejection(make());
    expect(error.code).to.equal("ERR_CERT_STORAGE");
    expect(error.message).to.include(first.certFile).and.to.include("EISDIR");
    expect(readFileSync(first.keyFile, "utf8")).to.equal(first.key);
  });

  it("clears away what a killed process left behind", async () => {
    mkdirSync(directory);
    writeFileSync(join(directory, ".app.test-key.pem.0123456789abcdef.tmp"), "half a key");
    writeFileSync(join(directory, ".app.test.pem.0123456789abcdef.tmp"), "half");
    writeFileSync(join(directory, ".profile.tmp"), "mine");
    await make();
    expect(readdirSync(directory).toSorted()).to.deep.equal([
      ".profile.tmp",
      "app.test-key.pem",
      "app.test.pem",
    ]);
  });

  it("reports a name outside the CA's constraints and writes nothing", async () => {
    const error = await rejection(make(["google.com"]));
    expect(error.code).to.equal("ERR_CERT_NAME_NOT_PERMITTED");
    expect(readdirSync(directory)).to.deep.equal([]);
  });

  it("refuses a malformed name or option before it touches the disk", async () => {
    const home = join(directory, "home");
    const cases: readonly (readonly [readonly string[], object, string])[] = [
      [["a..b"], {}, "a part between two dots is empty"],
      [["a.test"], { dir: "x" }, 'devCertificate: unknown option "dir"'],
      [["a.test"], { forced: true }, 'did you mean "force"?'],
      [["a.test"], { days: 826 }, "days must be an integer from 1 to 825, got 826"],
      [["a.test"], { force: "yes" }, 'force must be true or false, got "yes"'],
      [["a.test"], { directory: "a\0b" }, "directory must be a non-empty path"],
    ];
    for (const [names, options, message] of cases) {
      const error = await rejection(make(names, { authorityDirectory: home, ...options }));
      expect(error.message).to.include(message);
      expect(existsSync(home)).to.equal(false);
    }
  });

  it("names files so that every platform can keep them", async () => {
    for (const [names, stem] of [
      [["localhost"], "localhost"],
      [["*.app.test"], "_wildcard.app.test"],
      [["::1"], "__1"],
      [["127.0.0.1", "::1", "localhost"], "127.0.0.1+2"],
      [["bücher.test"], "xn--bcher-kva.test"],
      [["a/b?@app.test"], "a_b_@app.test"],
      [["spiffe://app.test/x"], "spiffe___app.test_x"],
      [["nul.test"], "_nul.test"],
      [["com1.test"], "_com1.test"],
      [["spiffe://app.test/a-key"], "spiffe___app.test_a-key_"],
    ] as const) {
      const { certFile, keyFile } = await make(names);
      expect(basename(certFile)).to.equal(`${stem}.pem`);
      expect(basename(keyFile)).to.equal(`${stem}-key.pem`);
    }
    const long = `${`${"a".repeat(60)}.`.repeat(4)}test`;
    const { certFile } = await make([long]);
    expect(basename(certFile)).to.match(/^[a.]{180}-[0-9a-f]{16}\.pem$/);
  });

  it("keeps certificates for clients, for both, for WebTransport and expired ones apart", async () => {
    for (const [options, stem] of [
      [{}, "app.test"],
      [{ purpose: "client" }, "app.test-client"],
      [{ purpose: "both" }, "app.test-both"],
      [{ webTransport: true }, "app.test-webtransport"],
      [{ expired: true }, "app.test-expired"],
      [{ expired: true, purpose: "client" }, "app.test-client-expired"],
      [{ purpose: "client", fileName: "mine" }, "mine"],
      [{ fileName: "dotted.pem" }, "dotted"],
    ] as const) {
      const made = await make(undefined, options);
      expect(made.status).to.equal("created");
      expect(basename(made.certFile)).to.equal(`${stem}.pem`);
      expect(basename(made.keyFile)).to.equal(`${stem}-key.pem`);
      expectPairOnDisk(made);
      expect((await make(undefined, options)).status).to.equal("reused");
    }
  });

  it("replaces a certificate for another purpose, of another organization or of another CA", async () => {
    const fileName = "same";
    const first = await make(undefined, { fileName });
    for (const options of [
      { purpose: "client" },
      { purpose: "both" },
      { organization: "Example" },
      { organization: "Bücher" },
      { authorityName: "work" },
    ] as const) {
      const changed = await make(undefined, { fileName, ...options });
      expect(changed.status).to.equal("renewed");
      expect(changed.key).to.equal(first.key);
      expect((await make(undefined, { fileName, ...options })).status).to.equal("reused");
    }
  });

  it("makes one that browsers take by its hash: P-256 and two weeks", async () => {
    await make(undefined, { fileName: "same", key: "p384" });
    await make(undefined, { fileName: "long" });
    for (const fileName of ["same", "long"]) {
      const made = await make(undefined, { fileName, webTransport: true });
      expect(made.status).to.equal("renewed");
      expect(inspectCertificate(made.cert).key).to.equal("p256");
      const lifetimeMs = made.notAfter.getTime() - made.notBefore.getTime();
      expect(lifetimeMs).to.equal(14 * DAY_MS - 1000);
    }
    for (const other of [
      { days: 3 },
      { key: "p256" },
      { longLived: true },
      { expired: true },
      { purpose: "client" },
    ]) {
      const error = await rejection(make(undefined, { webTransport: true, ...other } as never));
      expect(error.message).to.include(`cannot go with ${Object.keys(other)[0]}`);
    }
  });

  it("never takes an expired certificate for a good one, nor the other way round", async () => {
    const fileName = "same";
    const expired = await make(undefined, { fileName, expired: true });
    expect(expired.notAfter < NOW).to.equal(true);
    expect((await make(undefined, { fileName })).status).to.equal("renewed");
    expect((await make(undefined, { fileName, expired: true })).status).to.equal("renewed");
  });

  it("lasts longer than 825 days only when told to", async () => {
    const error = await rejection(make(undefined, { days: 900 }));
    expect(error).to.be.instanceOf(RangeError);
    const { notBefore, notAfter } = await make(undefined, { days: 900, longLived: true });
    expect(notAfter.getTime() - notBefore.getTime()).to.equal(900 * DAY_MS - 1000);
  });

  it("takes only plain file names", async () => {
    for (const fileName of [
      "",
      "a/b",
      "..",
      ".hidden",
      "a-key",
      "nul",
      "a b",
      "x".repeat(181),
      7,
    ]) {
      const error = await rejection(make(undefined, { fileName } as never));
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.include("fileName must be a file name of letters");
    }
  });

  it("leaves plain files and nothing else when it changes the kind of key", async () => {
    await make();
    const { certFile, keyFile } = await make(undefined, { key: "ed25519" });
    expect(readdirSync(directory).toSorted()).to.deep.equal(["app.test-key.pem", "app.test.pem"]);
    for (const path of [certFile, keyFile]) expect(lstatSync(path).isFile()).to.equal(true);
    expect((statSync(keyFile).mode & 0o777).toString(8)).to.equal("600");
  });

  it("follows a link of the user's own and puts a file in its place on renewal", async () => {
    const first = await make();
    const elsewhere = join(root, `elsewhere-${round}.pem`);
    renameSync(first.certFile, elsewhere);
    symlinkSync(elsewhere, first.certFile);
    expect((await make()).status).to.equal("reused");
    await make(undefined, { key: "p384" });
    expect(lstatSync(first.certFile).isFile()).to.equal(true);
    expect(readFileSync(elsewhere, "utf8")).to.equal(first.cert);
  });
});
