import { spawnSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { devCertificate, type DevCertificate } from "@hauberk/cert";
import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { requireProgram } from "../support/external.ts";
import { tempDirectory } from "../support/temp-directory.ts";

/** Enough names to make the certificate longer than one block of 1024 bytes; its key is shorter. */
const NAMES = Array.from({ length: 30 }, (_, index) => `name-number-${index}.app.test`);

const PROGRAM = `
  import { devCertificate } from ${JSON.stringify(import.meta.resolve("@hauberk/cert"))};
  const [home, directory, ...names] = process.argv.slice(1);
  try {
    await devCertificate(names, { authorityDirectory: home, directory, force: true });
  } catch (error) {
    process.stdout.write(JSON.stringify({ code: error.code, message: error.message }));
  }
`;

interface Failure {
  readonly code: string;
  readonly message: string;
}

describe("a development certificate on a full disk", () => {
  const root = tempDirectory();
  let home: string;
  let directory: string;
  let round = 0;

  beforeEach(() => {
    round += 1;
    home = join(root, `home-${round}`);
    directory = join(root, `certs-${round}`);
  });

  /** Runs with files limited to `blocks` of 1024 bytes, as if the disk were full beyond. */
  function runLimited(bash: string, blocks: number): Failure | undefined {
    const script = `ulimit -f ${blocks}; exec "$@"`;
    const node = [process.execPath, "--input-type=module", "--eval", PROGRAM];
    const args = ["-c", script, "bash", ...node, home, directory, ...NAMES];
    const { stdout } = spawnSync(bash, args, { encoding: "utf8" });
    return stdout === "" ? undefined : (JSON.parse(stdout) as Failure);
  }

  function make(): Promise<DevCertificate> {
    return devCertificate(NAMES, { authorityDirectory: home, directory });
  }

  it("fails with ERR_CERT_STORAGE and leaves nothing of a new CA behind", async function () {
    const error = runLimited(requireProgram(this, "bash"), 1);
    expect(error?.code).to.equal("ERR_CERT_STORAGE");
    expect(error?.message).to.include("EFBIG").and.to.include(join(home, "authority"));
    expect(readdirSync(home)).to.deep.equal([]);
    expect((await make()).authorityCreated).to.equal(true);
  });

  it("fails with ERR_CERT_STORAGE and leaves no lock when not even that can be written", async function () {
    const error = runLimited(requireProgram(this, "bash"), 0);
    expect(error?.code).to.equal("ERR_CERT_STORAGE");
    expect(readdirSync(home)).to.deep.equal([]);
  });

  it("keeps the old pair when it fails", async function () {
    const bash = requireProgram(this, "bash");
    const before = await make();
    const error = runLimited(bash, 1);
    expect(error?.code).to.equal("ERR_CERT_STORAGE");
    expect(error?.message).to.include("EFBIG").and.to.include(before.certFile);
    expectUnchanged(before);
    expect(readdirSync(directory)).to.have.lengthOf(2);
    expect((await make()).status).to.equal("reused");
  });
});

function expectUnchanged(before: DevCertificate): void {
  const cert = readFileSync(before.certFile, "utf8");
  const key = readFileSync(before.keyFile, "utf8");
  expect(cert).to.equal(before.cert);
  expect(key).to.equal(before.key);
  expect(new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))).to.equal(true);
}
