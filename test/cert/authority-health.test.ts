import { generateKeyPairSync } from "node:crypto";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  checkAuthority,
  openAuthority,
  rotateAuthority,
  widenNames,
  type AuthorityFinding,
  type AuthorityReport,
} from "@hauberk/cert";
import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { testAuthority } from "../support/test-authority.ts";

const DAY_MS = 86_400_000;

describe("checkAuthority()", () => {
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
    ({ certificateFile, keyFile } = await openAuthority({ directory }));
  });

  async function check(now?: Date): Promise<AuthorityReport> {
    return checkAuthority({ directory, ...(now && { now }) });
  }

  async function onlyFinding(now?: Date): Promise<AuthorityFinding | undefined> {
    const { findings } = await check(now);
    expect(findings.map(({ fault }) => fault)).to.have.lengthOf(1);
    return findings[0];
  }

  it("finds nothing wrong with a new CA and tells what it is", async () => {
    const report = await check();
    expect(report.findings).to.deep.equal([]);
    expect(report).to.include({ directory, name: "authority", certificateFile, keyFile });
    expect(report.encrypted).to.equal(false);
    expect(report.certificate?.key).to.equal("p256");
    expect(report.others).to.deep.equal([]);
  });

  it("lists the other CAs in the folder and nothing else that is there", async () => {
    await openAuthority({ directory, name: "work" });
    const { previousName } = await rotateAuthority({ directory });
    mkdirSync(join(directory, "notes"));
    writeFileSync(join(directory, "todo"), "");
    expect((await check()).others).to.deep.equal([previousName, "work"]);
  });

  it("needs no passphrase", async () => {
    await openAuthority({ directory, name: "sealed", passphrase: "x" });
    const report = await checkAuthority({ directory, name: "sealed" });
    expect(report.encrypted).to.equal(true);
    expect(report.findings).to.deep.equal([]);
  });

  it("reports a CA that is not there", async () => {
    const { findings, certificate, encrypted } = await checkAuthority({ directory, name: "none" });
    expect(findings.map(({ fault, severity }) => [fault, severity])).to.deep.equal([
      ["missing", "error"],
    ]);
    expect([certificate, encrypted]).to.deep.equal([undefined, undefined]);
  });

  it("reports a missing half with the file and the ways out", async () => {
    for (const file of [keyFile, certificateFile]) {
      const text = readFileSync(file);
      rmSync(file);
      const finding = await onlyFinding();
      expect(finding?.fault).to.equal("incomplete");
      expect(finding?.problem).to.equal(`"${file}" is missing`);
      expect(finding?.repair).to.include("restore it from a copy").and.include("hauberk ca rotate");
      writeFileSync(file, text, { mode: 0o600 });
    }
  });

  it("names the CA that it examined in the command that helps", async () => {
    const [missing] = (await checkAuthority({ directory, name: "none" })).findings;
    expect(missing?.repair).to.equal(`hauberk ca create --ca-dir "${directory}" --ca none`);
    const nameConstraints = widenNames(["example.com"]);
    await openAuthority({ directory, name: "work", nameConstraints });
    const [widened] = (await checkAuthority({ directory, name: "work" })).findings;
    expect(widened?.repair).to.match(/: hauberk ca rotate --constrained --ca-dir ".+" --ca work$/);
    rmSync(keyFile);
    expect((await onlyFinding())?.repair).to.match(/hauberk ca rotate --ca-dir ".+"$/);
  });

  it("reports a damaged half", async () => {
    for (const file of [keyFile, certificateFile]) {
      const text = readFileSync(file);
      writeFileSync(file, "-----BEGIN NONSENSE-----");
      const finding = await onlyFinding();
      expect([finding?.fault, finding?.severity]).to.deep.equal(["damaged", "error"]);
      expect(finding?.problem).to.include(file);
      writeFileSync(file, text);
    }
  });

  it("reports a key of another certificate", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(keyFile, privateKey.export({ type: "pkcs8", format: "pem" }));
    expect((await onlyFinding())?.fault).to.equal("mismatch");
  });

  it("reports an end that has passed, one that cuts leaves short, and a start to come", async () => {
    const { certificate } = await check();
    const end = certificate?.notAfter.getTime() ?? 0;
    const start = certificate?.notBefore.getTime() ?? 0;
    const outcomes = await Promise.all(
      [end + 1000, end - 89 * DAY_MS, end - 91 * DAY_MS, start - DAY_MS].map(async (time) => {
        const { findings } = await check(new Date(time));
        return findings.map(({ fault, severity, problem }) => [fault, severity, problem]);
      }),
    );
    const file = `"${certificateFile}"`;
    expect(outcomes).to.deep.equal([
      [["expired", "error", `${file} expired on ${new Date(end).toISOString()}`]],
      [
        [
          "expires-soon",
          "warning",
          `${file} ends in 89 days, and every certificate that it signs with it`,
        ],
      ],
      [],
      [["not-yet-valid", "error", `${file} starts on ${new Date(start).toISOString()}`]],
    ]);
  });

  it("warns of a CA that may sign more than names for development", async () => {
    const nameConstraints = widenNames(["example.com", "203.0.113.0/24", "10.1.0.0/16"]);
    await openAuthority({ directory, name: "wide", nameConstraints });
    const wide = await checkAuthority({ directory, name: "wide" });
    expect(wide.findings.map(({ fault, severity }) => [fault, severity])).to.deep.equal([
      ["widened", "warning"],
    ]);
    expect(wide.findings[0]?.problem).to.include("may also sign for example.com, 203.0.113.0/24:");
    await openAuthority({ directory, name: "free", nameConstraints: false });
    const free = await checkAuthority({ directory, name: "free" });
    expect(free.findings.map(({ fault, severity }) => [fault, severity])).to.deep.equal([
      ["unconstrained", "warning"],
    ]);
  });

  it("reports a certificate that may not sign, a SHA-1 signature and a weak key", async () => {
    const leaf = testAuthority().issue();
    writeFileSync(certificateFile, leaf.cert);
    writeFileSync(keyFile, leaf.key);
    expect(await faults()).to.include("not-an-authority");
    writeFileSync(certificateFile, WEAK_CA);
    expect(await faults()).to.include.members(["weak-signature", "weak-key", "unconstrained"]);
  });

  async function faults(): Promise<string[]> {
    return (await check()).findings.map(({ fault }) => fault);
  }

  it("reports rights of others to the key and to either folder, with the command", async () => {
    for (const [path, mode, fault, severity, repair] of [
      [keyFile, 0o640, "key-permissions", "error", "chmod 600"],
      [folder, 0o720, "folder-permissions", "error", "chmod go-w"],
      [directory, 0o702, "folder-permissions", "warning", "chmod go-w"],
    ] as const) {
      chmodSync(path, mode);
      const finding = await onlyFinding();
      expect([finding?.fault, finding?.severity]).to.deep.equal([fault, severity]);
      expect(finding?.problem).to.include(`"${path}" (mode ${mode.toString(8)})`);
      expect(finding?.repair).to.include(`${repair} "${path}"`);
      chmodSync(path, path === keyFile ? 0o600 : 0o700);
    }
  });

  it("warns root of a CA that belongs to somebody else", async function () {
    if (process.getuid?.() !== 0) this.skip();
    chownSync(keyFile, 4321, 4321);
    const finding = await onlyFinding();
    expect([finding?.fault, finding?.severity]).to.deep.equal(["owner", "warning"]);
    expect(finding?.problem).to.include("belongs to user 4321, and this process runs as user 0");
  });

  it("changes nothing", async () => {
    rmSync(keyFile);
    chmodSync(folder, 0o777);
    await check();
    expect(readdirSync(folder)).to.deep.equal(["ca.pem"]);
    expect(readdirSync(directory)).to.deep.equal(["authority"]);
  });

  it("refuses unknown options and names that are no folder", async () => {
    const unknown = await rejection(checkAuthority({ dir: "x" } as never));
    expect(unknown.message).to.equal('checkAuthority: unknown option "dir"');
    for (const name of ["", "..", "a/b", "Work", "a.b", "con", "-a", "a".repeat(64), 7]) {
      const error = await rejection(checkAuthority({ directory, name } as never));
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.include("name must be a name of 1 to 63 small letters");
    }
  });
});

// SOURCE: openssl req -x509 -newkey rsa:1024 -sha1 -days 3650 -subj /CN=weak -addext basicConstraints=critical,CA:TRUE
const WEAK_CA = `-----BEGIN CERTIFICATE-----
MIIB+jCCAWOgAwIBAgIUa7ixmf2/JX8L937vOafV8t/D3mcwDQYJKoZIhvcNAQEF
BQAwDzENMAsGA1UEAwwEd2VhazAeFw0yNjExMjIwOTIzNTNaFw0zNjExMTkwOTIz
NTNaMA8xDTALBgNVBAMMBHdlYWswgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGB
AL7zE+y7ymHjstRczqCto+baXiiFF+/dk9giF4M55Sp30IF10PcJaGr2g1Me7m40
L5I7fSE0qq8uJhjdWIc05nq3nl34g8H00I16S/b3liwLnKUbFEngHvbKqR99pJwN
E/Z5D5VqWWDCGJCVocTL0ROLsRVMtUoga24KKnxgCIlBAgMBAAGjUzBRMB0GA1Ud
DgQWBBSkf+IKw65gmtWM8+rJNNbn6KdkpjAfBgNVHSMEGDAWgBSkf+IKw65gmtWM
8+rJNNbn6KdkpjAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBBQUAA4GBAI2W
eFDlk+eoQIOgv3gTif5STjJS0686M9uGXtcdw7THsKy0U9OIq4zb/T1KG3/VO7FN
2uKOUmlRJulY2u0S68eRkR/dPJg3DEFeLNxy7khn2o1jH/c3uKFqcAmVak7iDn4g
hxSKlneO6ICZBy2/qXGR9TWtelKk1/QRxLu8sl/y
-----END CERTIFICATE-----
`;
