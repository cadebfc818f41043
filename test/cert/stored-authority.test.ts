import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadAuthority, openAuthority } from "@hauberk/cert";
import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const DAY_MS = 86_400_000;

describe("loadAuthority()", () => {
  const root = tempDirectory();
  let directory: string;
  let folder: string;
  let keyFile: string;
  let certificateFile: string;
  let round = 0;

  beforeEach(async () => {
    round += 1;
    directory = join(root, String(round));
    folder = join(directory, "authority");
    keyFile = join(folder, "ca-key.pem");
    ({ certificateFile } = await openAuthority({ directory }));
  });

  async function failure(now?: Date): Promise<Error & { code?: string }> {
    return rejection(loadAuthority({ directory, ...(now && { now }) }));
  }

  it("returns the CA that openAuthority stored, with the paths that clients need", async () => {
    const authority = await loadAuthority({ directory });
    expect(authority.certificate).to.equal(readFileSync(certificateFile, "utf8"));
    expect(authority.directory).to.equal(directory);
    expect(authority.certificateFile).to.equal(join(folder, "ca.pem"));
    expect(authority.constrained).to.equal(true);
  });

  it("finds the folder 0700, the key 0600 and the certificate 0644", () => {
    const modes = [folder, keyFile, certificateFile].map((path) => statSync(path).mode & 0o777);
    expect(modes.map((mode) => mode.toString(8))).to.deep.equal(["700", "600", "644"]);
  });

  it("reports a CA that is not there", async () => {
    rmSync(folder, { recursive: true });
    const error = await failure();
    expect(error.code).to.equal("ERR_CERT_AUTHORITY_MISSING");
    expect(error.message).to.include(directory);
  });

  for (const half of ["certificate", "key"] as const) {
    it(`reports a missing ${half} with a way out, and openAuthority does not replace it`, async () => {
      const [gone, kept] = half === "key" ? [keyFile, certificateFile] : [certificateFile, keyFile];
      const text = readFileSync(kept, "utf8");
      rmSync(gone);
      for (const error of [await failure(), await rejection(openAuthority({ directory }))]) {
        expect(error.code).to.equal("ERR_CERT_AUTHORITY_INCOMPLETE");
        expect(error.message).to.include(`"${gone}" is missing; restore it, or remove "${folder}"`);
      }
      expect(readFileSync(kept, "utf8")).to.equal(text);
    });

    it(`reports a damaged ${half} with the cause`, async () => {
      writeFileSync(half === "key" ? keyFile : certificateFile, "-----BEGIN NONSENSE-----\n");
      const error = await failure();
      expect(error.code).to.equal("ERR_CERT_AUTHORITY_INVALID");
      expect(error.message).to.include("is damaged");
      expect(error.cause).to.be.an.instanceOf(SyntaxError);
    });
  }

  it("reports a key that belongs to another certificate", async () => {
    const other = await openAuthority({ directory: join(root, `${round}-other`) });
    writeFileSync(certificateFile, other.certificate);
    const error = await failure();
    expect(error.code).to.equal("ERR_CERT_AUTHORITY_MISMATCH");
    expect(error.message).to.include(keyFile).and.to.include(certificateFile);
  });

  it("reports an encrypted key without a passphrase", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(
      keyFile,
      privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }),
    );
    expect((await failure()).code).to.equal("ERR_CERT_AUTHORITY_PASSPHRASE");
  });

  it("reports a certificate that may not sign others, and a key it cannot sign with", async () => {
    writeFileSync(certificateFile, NOT_A_CA);
    const notCa = await failure();
    expect(notCa.code).to.equal("ERR_CERT_AUTHORITY_INVALID");
    expect(notCa.message).to.include("is not allowed to sign certificates");

    rmSync(folder, { recursive: true });
    await openAuthority({ directory });
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "secp521r1" });
    writeFileSync(keyFile, privateKey.export({ type: "pkcs8", format: "pem" }));
    const odd = await failure();
    expect(odd.code).to.equal("ERR_CERT_AUTHORITY_INVALID");
    expect(odd.message).to.include('keys of kind "secp521r1" are not supported');
  });

  it("refuses a key that group or others may use, and says how to repair it", async () => {
    for (const mode of [0o640, 0o604, 0o620, 0o644]) {
      chmodSync(keyFile, mode);
      const error = await failure();
      expect(error.code).to.equal("ERR_CERT_AUTHORITY_PERMISSIONS");
      expect(error.message)
        .to.include(`(mode ${mode.toString(8)})`)
        .and.to.include("chmod 600");
    }
    chmodSync(keyFile, 0o400);
    expect((await loadAuthority({ directory })).directory).to.equal(directory);
  });

  it("refuses a folder that group or others may write", async () => {
    chmodSync(folder, 0o720);
    const error = await failure();
    expect(error.code).to.equal("ERR_CERT_AUTHORITY_PERMISSIONS");
    expect(error.message).to.include("chmod 700");
    chmodSync(folder, 0o755);
    expect((await loadAuthority({ directory })).directory).to.equal(directory);
  });

  it("reports a CA outside its validity, at the very second", async () => {
    const { notBefore, notAfter } = await loadAuthority({ directory });
    const load = (now: Date) => loadAuthority({ directory, now });
    expect((await load(notAfter)).directory).to.equal(directory);
    expect((await load(notBefore)).directory).to.equal(directory);

    const expired = await failure(new Date(notAfter.getTime() + 1000));
    expect(expired.code).to.equal("ERR_CERT_AUTHORITY_EXPIRED");
    expect(expired.message).to.include(notAfter.toISOString());
    const early = await failure(new Date(notBefore.getTime() - DAY_MS));
    expect(early.code).to.equal("ERR_CERT_AUTHORITY_NOT_YET_VALID");
    expect(early.message).to.include("check the clock");
  });

  it("passes over CRLF, a byte-order mark and text around the PEM", async () => {
    for (const file of [keyFile, certificateFile]) {
      const text = readFileSync(file, "utf8");
      writeFileSync(file, `\uFEFF${text.replaceAll("\n", "\r\n")}\r\nkept by Jo\r\n`);
    }
    expect((await loadAuthority({ directory })).directory).to.equal(directory);
  });

  it("reports what the system says when a path is not a folder", async () => {
    rmSync(folder, { recursive: true });
    writeFileSync(folder, "a file");
    const error = await failure();
    expect(error.code).to.equal("ERR_CERT_STORAGE");
    expect(error.message).to.include("ENOTDIR");
    expect(error.cause).to.be.an.instanceOf(Error);
  });

  it("reports what the system says when a file is a folder", async () => {
    rmSync(keyFile);
    mkdirSync(keyFile);
    expect((await failure()).code).to.equal("ERR_CERT_STORAGE");
  });

  it("refuses unknown options and an empty folder name", async () => {
    const unknown = await rejection(loadAuthority({ dir: directory } as never));
    expect(unknown).to.be.an.instanceOf(TypeError);
    expect(unknown.message).to.equal('loadAuthority: unknown option "dir"');
    const empty = await rejection(loadAuthority({ directory: "" }));
    expect(empty.message).to.equal('directory must be a non-empty path, got ""');
  });
});

// SOURCE: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=leaf -addext basicConstraints=critical,CA:FALSE
const NOT_A_CA = `-----BEGIN CERTIFICATE-----
MIIBcDCCARagAwIBAgIUXNNtO+N3UgI8SlG536oGcQ6O3H4wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEbGVhZjAeFw0yNjExMjIwODIyMjdaFw0zNjExMTkwODIyMjda
MA8xDTALBgNVBAMMBGxlYWYwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATKpglQ
XNtFaj0MEqxU3Q1Wz1+ymilrkeCfzcV/aYHUutokHriZ+wyRsKQtCoqwXx6Lu7VX
UQE4xz87WTmIsRaEo1AwTjAdBgNVHQ4EFgQUTn0oioX3q6BJhYmHzOSnJTJxZG0w
HwYDVR0jBBgwFoAUTn0oioX3q6BJhYmHzOSnJTJxZG0wDAYDVR0TAQH/BAIwADAK
BggqhkjOPQQDAgNIADBFAiBbx+YAFVppKvFrASw+7LwgTIXpf4Hq68HHky3mZDk8
dQIhAOpu+PGCTaTkv5DQcGjOJY4AkQOC558oUXzkZatxCuiw
-----END CERTIFICATE-----
`;
