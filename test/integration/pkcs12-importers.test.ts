import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import {
  createAuthority,
  issueCertificate,
  toPkcs12,
  type IssuedCertificate,
  type KeyKind,
} from "@hauberk/cert";
import { expect } from "chai";
import { before, describe, it } from "mocha";
import { requireProgram } from "../support/external.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const KINDS: readonly KeyKind[] = ["p256", "p384", "ed25519", "rsa2048"];
const ASCII = "correct horse";
const UMLAUTS = "pässwört ✓ 🔒";

describe("a PKCS#12 file of toPkcs12()", () => {
  const directory = tempDirectory();
  const pairs = new Map<KeyKind, IssuedCertificate>();
  before(async () => {
    const authority = await createAuthority();
    for (const key of KINDS) {
      pairs.set(key, await issueCertificate(authority, { names: ["app.test"], key }));
    }
  });

  async function write(kind: KeyKind, password: string, legacy = false): Promise<string> {
    const pair = pairs.get(kind);
    if (pair === undefined) throw new Error(`no pair of kind ${kind}`);
    const { pkcs12 } = await toPkcs12(pair, { password, legacy, friendlyName: "App" });
    createSecureContext({ pfx: pkcs12, passphrase: password });
    const file = join(directory, `${kind}${legacy ? "-legacy" : ""}.p12`);
    writeFileSync(file, pkcs12);
    return file;
  }

  for (const kind of KINDS) {
    for (const password of [ASCII, UMLAUTS]) {
      it(`of a ${kind} key opens in openssl without -legacy and in Node with ${JSON.stringify(password)}`, async function () {
        const openssl = requireProgram(this, "openssl");
        const file = await write(kind, password);
        const read = readWithOpenssl(openssl, file, password, []);
        expect(read.info).to.include("MAC: sha256, Iteration 10000");
        expect(read.info.match(/PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256/g))
          // one for the certificates, one for the key
          .to.have.lengthOf(2);
        expect(read.keys).to.equal(1);
        expect(read.certificates).to.equal(2);
      });
    }

    it(`of a ${kind} key in its legacy form opens in openssl -legacy and without`, async function () {
      const openssl = requireProgram(this, "openssl");
      const file = await write(kind, UMLAUTS, true);
      for (const provider of [["-legacy"], []]) {
        const read = readWithOpenssl(openssl, file, UMLAUTS, provider);
        expect(read.info).to.include("MAC: sha1, Iteration 2048");
        expect(read.info.match(/pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048/g)).to.have.length(
          2,
        );
        expect([read.keys, read.certificates]).to.deep.equal([1, 2]);
      }
    });
  }

  // NSS 3.87 knows no Ed25519 keys.
  for (const kind of ["p256", "p384", "rsa2048"] as const) {
    for (const legacy of [false, true]) {
      it(`of a ${kind} key${legacy ? " in its legacy form" : ""} is imported by NSS`, async function () {
        const pk12util = requireProgram(this, "pk12util");
        const certutil = requireProgram(this, "certutil");
        const file = await write(kind, UMLAUTS, legacy);
        const database = join(directory, `nss-${kind}-${legacy}`);
        mkdirSync(database);
        execFileSync(certutil, ["-N", "-d", `sql:${database}`, "--empty-password"]);
        execFileSync(pk12util, ["-i", file, "-d", `sql:${database}`, "-W", UMLAUTS], {
          stdio: "pipe",
        });
        const keys = execFileSync(certutil, ["-K", "-d", `sql:${database}`], { encoding: "utf8" });
        expect(keys).to.match(/^< 0> (?:ec|rsa) +[0-9a-f]{40} +App$/m);
        const certs = execFileSync(certutil, ["-L", "-d", `sql:${database}`], { encoding: "utf8" });
        expect(certs).to.match(/^App +u,u,u$/m);
        expect(certs).to.include("Hauberk development CA");
      });
    }
  }

  for (const kind of ["p256", "rsa2048"] as const) {
    for (const legacy of [false, true]) {
      it(`of a ${kind} key${legacy ? " in its legacy form" : ""} is a key store for Java`, async function () {
        this.timeout(20_000);
        const keytool = requireProgram(this, "keytool");
        const file = await write(kind, ASCII, legacy);
        const listing = execFileSync(
          keytool,
          ["-list", "-v", "-keystore", file, "-storepass:env", "STORE_PASSWORD"],
          {
            encoding: "utf8",
            env: { ...process.env, STORE_PASSWORD: ASCII, JAVA_TOOL_OPTIONS: "-Duser.language=en" },
            stdio: "pipe",
          },
        );
        expect(listing).to.match(/Alias name: app$/m);
        expect(listing).to.match(/Entry type: PrivateKeyEntry/);
        expect(listing).to.match(/Certificate chain length: 2/);
        expect(listing).to.match(/DNSName: app\.test/);
      });
    }
  }
});

function readWithOpenssl(
  openssl: string,
  file: string,
  password: string,
  provider: readonly string[],
): { info: string; keys: number; certificates: number } {
  const { stdout, stderr, status } = spawnSync(
    openssl,
    ["pkcs12", ...provider, "-in", file, "-info", "-noenc", "-passin", "env:P12_PASSWORD"],
    { encoding: "utf8", env: { ...process.env, P12_PASSWORD: password } },
  );
  if (status !== 0) throw new Error(stderr);
  return {
    info: stderr,
    keys: stdout.match(/BEGIN PRIVATE KEY/g)?.length ?? 0,
    certificates: stdout.match(/BEGIN CERTIFICATE/g)?.length ?? 0,
  };
}
