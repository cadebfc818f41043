import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  devCertificate,
  type DevCertificate,
  loadAuthority,
  openAuthority,
  rotateAuthority,
} from "@hauberk/cert";
import { expect } from "chai";
import { after, before, beforeEach, type Context, describe, it } from "mocha";
import { requireProgram } from "../support/external.ts";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const NOBODY = 65_534;

/** Loads everything as root, becomes nobody, then calls a function of the package. */
const PROGRAM = `
  const cert = await import(${JSON.stringify(import.meta.resolve("@hauberk/cert"))});
  await cert.issueCertificate(await cert.createAuthority(), { names: ["app.test"] });
  process.setgroups([]);
  process.setgid(${NOBODY});
  process.setuid(${NOBODY});
  const [name, args] = process.argv.slice(1);
  try {
    await cert[name](...JSON.parse(args));
  } catch (error) {
    process.stdout.write(JSON.stringify({ code: error.code, message: error.message }));
  }
`;

interface Failure {
  readonly code: string;
  readonly message: string;
}

const NAMES = ["app.test"];

describe("a file system of its own", () => {
  // Stands before tempDirectory(), whose own hook cannot remove a folder that is still mounted.
  after(() => {
    if (unmount !== "") spawnSync(unmount, [mountPoint]);
  });

  const root = tempDirectory();
  const mountPoint = join(root, "mount");
  const home = join(mountPoint, "home");
  const directory = join(mountPoint, "certs");
  let mount = "";
  let unmount = "";
  let made: DevCertificate;

  before(async function () {
    requireRoot(this);
    mount = requireProgram(this, "mount");
    unmount = requireProgram(this, "umount");
    mkdirSync(mountPoint);
    const { status } = spawnSync(mount, ["-t", "tmpfs", "-o", "size=256k", "tmpfs", mountPoint]);
    if (status !== 0) this.skip();
    made = await devCertificate(NAMES, { authorityDirectory: home, directory });
  });

  const attempts = {
    renewal: () => devCertificate(NAMES, { authorityDirectory: home, directory, force: true }),
    "another kind of key": () =>
      devCertificate(NAMES, { authorityDirectory: home, directory, key: "ed25519" }),
    "a new name": () => devCertificate(["new.test"], { authorityDirectory: home, directory }),
    rotation: () => rotateAuthority({ directory: home }),
    "another CA": () => openAuthority({ directory: home, name: "other" }),
  } as const;

  async function expectIntact(reason: string): Promise<void> {
    const authority = await loadAuthority({ directory: home });
    for (const attempt of Object.values(attempts)) {
      const error = await rejection(attempt());
      expect(error.code).to.equal("ERR_CERT_STORAGE");
      expect(error.message).to.include(reason).and.to.include(mountPoint);
      expectUnchanged(made);
      const now = await loadAuthority({ directory: home });
      expect(now.fingerprint256).to.equal(authority.fingerprint256);
    }
    expect(readdirSync(directory).toSorted()).to.deep.equal(["app.test-key.pem", "app.test.pem"]);
    expect(readdirSync(home)).to.deep.equal(["authority"]);
    const reused = await devCertificate(NAMES, { authorityDirectory: home, directory });
    expect(reused.status).to.equal("reused");
  }

  it("that is full keeps what it has, serves it and takes new certificates once there is room", async () => {
    const filler = join(mountPoint, "filler");
    const fault = fill(filler);
    expect(fault).to.equal("ENOSPC");
    await expectIntact("ENOSPC: no space left on device");
    writeFileSync(filler, "");
    expect((await attempts.renewal()).status).to.equal("renewed");
    made = await devCertificate(NAMES, { authorityDirectory: home, directory });
  });

  it("that is read-only keeps what it has and serves it", async () => {
    expect(spawnSync(mount, ["-o", "remount,ro", mountPoint]).status).to.equal(0);
    await expectIntact("EROFS: read-only file system");
  });
});

describe("a user who is not the owner", () => {
  const root = tempDirectory();
  let home: string;
  let directory: string;
  let made: DevCertificate;
  let round = 0;

  before(function () {
    requireRoot(this);
    chmodSync(root, 0o755);
  });

  beforeEach(async () => {
    round += 1;
    home = join(root, `home-${round}`);
    directory = join(root, `certs-${round}`);
    made = await devCertificate(NAMES, { authorityDirectory: home, directory });
  });

  function asNobody(name: string, ...args: readonly unknown[]): Failure | undefined {
    const program = ["--input-type=module", "--eval", PROGRAM, name, JSON.stringify(args)];
    const { stdout, stderr } = spawnSync(process.execPath, program, { encoding: "utf8" });
    expect(stderr).to.equal("");
    return stdout === "" ? undefined : (JSON.parse(stdout) as Failure);
  }

  function expectRefused(failure: Failure | undefined, path: string): void {
    expect(failure?.code).to.equal("ERR_CERT_STORAGE");
    expect(failure?.message)
      .to.include("EACCES: permission denied")
      .and.to.include(path)
      .and.to.include(`this process runs as user ${NOBODY}`);
    expectUnchanged(made);
  }

  it("is told so when the CA belongs to somebody else", () => {
    expectRefused(asNobody("loadAuthority", { directory: home }), join(home, "authority"));
    expectRefused(asNobody("rotateAuthority", { directory: home }), join(home, "authority"));
  });

  it("is told so when the certificate belongs to somebody else", () => {
    const own = join(root, `own-${round}`);
    mkdirSync(own);
    chownSync(own, NOBODY, NOBODY);
    chmodSync(directory, 0o755);
    const failure = asNobody("devCertificate", NAMES, { authorityDirectory: own, directory });
    expectRefused(failure, made.keyFile);
  });

  it("is told so when the folder of the certificate is read-only", () => {
    giveToNobody(home, join(home, "authority"), directory);
    chmodSync(directory, 0o555);
    const options = { authorityDirectory: home, directory, key: "ed25519" };
    expectRefused(asNobody("devCertificate", NAMES, options), directory);
    chmodSync(directory, 0o700);
    expect(asNobody("devCertificate", NAMES, options)).to.equal(undefined);
  });

  it("is told so when the folder of the CAs is read-only, and the CA still signs", () => {
    giveToNobody(home, join(home, "authority"), directory);
    chmodSync(home, 0o555);
    expectRefused(asNobody("rotateAuthority", { directory: home }), home);
    const options = { authorityDirectory: home, directory, force: true };
    expect(asNobody("devCertificate", NAMES, options)).to.equal(undefined);
    expect(readFileSync(made.certFile, "utf8")).not.to.equal(made.cert);
  });

  function giveToNobody(...folders: readonly string[]): void {
    for (const folder of folders) {
      chownSync(folder, NOBODY, NOBODY);
      for (const name of readdirSync(folder)) chownSync(join(folder, name), NOBODY, NOBODY);
    }
  }
});

function requireRoot(context: Context): void {
  if (process.getuid?.() !== 0) context.skip();
}

/** Writes until the file system is full; returns the code of the error that says so. */
function fill(path: string): string | undefined {
  for (const bytes of [65_536, 4096, 512]) {
    for (let written = 0; written < 1024; written += 1) {
      try {
        writeFileSync(path, Buffer.alloc(bytes), { flag: "a" });
      } catch (error) {
        if (bytes === 512) return (error as NodeJS.ErrnoException).code;
        break;
      }
    }
  }
  return undefined;
}

function expectUnchanged({ certFile, keyFile, cert, key }: DevCertificate): void {
  expect(readFileSync(certFile, "utf8")).to.equal(cert);
  expect(readFileSync(keyFile, "utf8")).to.equal(key);
}
