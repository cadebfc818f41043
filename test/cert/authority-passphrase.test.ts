import { execFile } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { devCertificate, loadAuthority, openAuthority, type KeyKind } from "@hauberk/cert";
import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { requireProgram } from "../support/external.ts";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const execute = promisify(execFile);

describe("a CA with a passphrase", () => {
  const root = tempDirectory();
  let directory: string;
  let round = 0;

  beforeEach(() => {
    round += 1;
    directory = join(root, String(round));
  });

  it("stores its key as PBES2 with scrypt and AES-256, and signs once it is opened", async function () {
    const openssl = requireProgram(this, "openssl");
    const passphrase = "correct horse";
    const { keyFile, encrypted, created } = await openAuthority({ directory, passphrase });
    expect([encrypted, created]).to.deep.equal([true, true]);
    expect(readFileSync(keyFile, "utf8")).to.match(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    const { stdout } = await execute(openssl, ["asn1parse", "-in", keyFile]);
    for (const name of [":PBES2", ":scrypt", ":4000", ":aes-256-cbc"]) {
      expect(stdout).to.include(name);
    }
    const authority = await loadAuthority({ directory, passphrase });
    expect(authority.encrypted).to.equal(true);
    expect(authority.sign(Buffer.from("tbs"))).to.be.instanceOf(Buffer);
  });

  it("is opened by openssl for every kind of key and passphrases of any script", async function () {
    const openssl = requireProgram(this, "openssl");
    const kinds: readonly KeyKind[] = ["p256", "ed25519", "rsa2048"];
    const passphrases = ["x", "pässwörd 密码", randomBytes(512).toString("hex")];
    for (const [index, key] of kinds.entries()) {
      const PASSPHRASE = passphrases[index] ?? "";
      const name = `ca-${key}`;
      const { keyFile } = await openAuthority({ directory, name, key, passphrase: PASSPHRASE });
      const pkey = ["pkey", "-in", keyFile, "-noout", "-passin", "env:PASSPHRASE"];
      await execute(openssl, pkey, { env: { ...process.env, PASSPHRASE } });
      expect((await loadAuthority({ directory, name, passphrase: PASSPHRASE })).key).to.equal(key);
    }
  });

  it("opens a key that openssl has encrypted in its own way", async () => {
    const { keyFile } = await openAuthority({ directory });
    const key = createPrivateKey(readFileSync(keyFile));
    const encrypted = key.export({
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: "x",
    });
    writeFileSync(keyFile, encrypted);
    expect((await loadAuthority({ directory, passphrase: "x" })).encrypted).to.equal(true);
  });

  it("refuses a missing and a wrong passphrase without repeating it", async () => {
    await openAuthority({ directory, passphrase: "correct horse" });
    for (const passphrase of [undefined, () => undefined]) {
      const error = await rejection(loadAuthority({ directory, passphrase }));
      expect(error.code).to.equal("ERR_CERT_AUTHORITY_PASSPHRASE");
      expect(error.message).to.include("is encrypted, and no passphrase is given");
    }
    const wrong = await rejection(loadAuthority({ directory, passphrase: "battery staple" }));
    expect(wrong.code).to.equal("ERR_CERT_AUTHORITY_PASSPHRASE");
    expect(wrong.message).to.include("the passphrase does not open");
    expect(`${wrong.stack}${String((wrong.cause as Error).stack)}`).not.to.include("battery");
  });

  it("reports a key that belongs to another certificate once it is opened", async () => {
    const { keyFile } = await openAuthority({ directory, passphrase: "x" });
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    const format = {
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: "x",
    } as const;
    writeFileSync(keyFile, other.export(format));
    const error = await rejection(loadAuthority({ directory, passphrase: "x" }));
    expect(error.code).to.equal("ERR_CERT_AUTHORITY_MISMATCH");
  });

  it("asks a function once to make the CA, and not at all for a CA without one", async () => {
    const uses: string[] = [];
    const passphrase = (use: "encrypt" | "decrypt"): Promise<string> => {
      uses.push(use);
      return Promise.resolve("x");
    };
    await openAuthority({ directory, passphrase });
    expect(uses).to.deep.equal(["encrypt"]);
    await openAuthority({ directory, passphrase });
    expect(uses).to.deep.equal(["encrypt", "decrypt"]);
    await openAuthority({ directory, name: "plain" });
    await openAuthority({ directory, name: "plain", passphrase });
    expect(uses).to.have.lengthOf(2);
  });

  it("is not opened to reuse a certificate", async () => {
    const uses: string[] = [];
    const options = {
      authorityDirectory: directory,
      directory: join(directory, "certs"),
      passphrase: (use: string) => {
        uses.push(use);
        return "x";
      },
    };
    expect((await devCertificate(["app.test"], options)).authorityCreated).to.equal(true);
    expect((await devCertificate(["app.test"], options)).status).to.equal("reused");
    expect(uses).to.deep.equal(["encrypt"]);
    expect((await devCertificate(["b.test"], options)).status).to.equal("created");
    expect(uses).to.deep.equal(["encrypt", "decrypt"]);
    const { passphrase: _none, ...without } = options;
    expect((await devCertificate(["app.test"], without)).status).to.equal("reused");
    const error = await rejection(devCertificate(["c.test"], without));
    expect(error.code).to.equal("ERR_CERT_AUTHORITY_PASSPHRASE");
  });

  it("takes no empty, overlong or foreign passphrase, and does not show one", async () => {
    for (const passphrase of ["", "s3cret".repeat(200), 42, () => ""]) {
      const error = await rejection(openAuthority({ directory, passphrase } as never));
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.equal("passphrase must be a text of 1 to 1024 bytes");
    }
  });
});
