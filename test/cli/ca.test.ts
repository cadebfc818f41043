import { X509Certificate } from "node:crypto";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { loadAuthority } from "@hauberk/cert";
import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { requireProgram } from "../support/external.ts";
import { type Finished, PROGRAM, runHauberk } from "../support/hauberk-process.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { runInTerminal, type TerminalRun } from "../support/terminal.ts";

const PASSPHRASE = "corréct horse";

describe("hauberk ca", () => {
  const root = tempDirectory();
  let home: string;
  let round = 0;

  beforeEach(() => {
    round += 1;
    home = join(root, String(round));
  });

  const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Finished> =>
    runHauberk(args, { cwd: root, env: { HAUBERK_HOME: home, ...env } });

  const type = (
    script: string,
    args: readonly string[],
    ...answers: readonly string[]
  ): Promise<TerminalRun> =>
    runInTerminal(script, [process.execPath, PROGRAM, ...args], answers, {
      cwd: root,
      env: { HAUBERK_HOME: home },
    });

  describe("create", () => {
    it("makes a CA once and says so", async () => {
      const { code, stdout, stderr } = await run(["ca", "create", "--key", "p384"]);
      expect([code, stderr]).to.deep.equal([0, ""]);
      expect(stdout).to.include(`Made a development CA: ${join(home, "authority", "ca.pem")}`);
      expect(stdout).to.include("p384, not encrypted");
      const again = await run(["ca", "create"]);
      expect(again.code).to.equal(1);
      expect(again.stderr).to.include("there is a CA already");
    });

    it("warns of a CA that may sign more than names for development", async () => {
      const wide = await run([
        "ca",
        "create",
        "--permit",
        "example.com",
        "--permit",
        "203.0.113.7",
      ]);
      expect(wide.stderr).to.match(
        /^hauberk: WARNING: .* may also sign for example\.com, 203\.0\.113\.7\/32: whoever gets its key/,
      );
      const free = await run(["ca", "create", "--ca", "free", "--unconstrained"]);
      expect(free.stderr).to.match(/^hauberk: WARNING: .* may sign for all names and addresses/);
      expect(free.stdout).to.include("hauberk ca install --ca free");
    });

    it("encrypts the key with a passphrase from the environment", async () => {
      for (const [name, args, env] of [
        ["first", [], { HAUBERK_CA_PASSPHRASE: PASSPHRASE }],
        ["second", ["--passphrase-env", "MINE"], { MINE: PASSPHRASE, HAUBERK_CA_PASSPHRASE: "x" }],
      ] as const) {
        const { stdout } = await run(["ca", "create", "--ca", name, ...args], env);
        expect(stdout).to.include("p256, encrypted");
        const opened = await loadAuthority({ directory: home, name, passphrase: PASSPHRASE });
        expect(opened.encrypted).to.equal(true);
      }
    });

    it("asks twice for a new passphrase and shows neither", async function () {
      const script = requireProgram(this, "script");
      const { code, shown } = await type(
        script,
        ["ca", "create", "--encrypt"],
        PASSPHRASE,
        PASSPHRASE,
      );
      expect(code).to.equal(0);
      expect(shown).to.match(
        /^New passphrase of the CA: \nThe same again: \nMade a development CA/,
      );
      await loadAuthority({ directory: home, passphrase: PASSPHRASE });
    });

    it("makes nothing of two passphrases that differ", async function () {
      const script = requireProgram(this, "script");
      const { code, shown } = await type(script, ["ca", "create", "--encrypt"], "al1ce", "b0b");
      expect(code).to.equal(2);
      expect(shown)
        .to.include("the two passphrases differ")
        .and.not.match(/al1ce|b0b/);
      expect(existsSync(home)).to.equal(false);
    });

    it("takes no passphrase as an argument, and repeats none", async () => {
      for (const args of [["--encrypt", "s3cret"], ["--encrypt=s3cret"], ["s3cret"]]) {
        const { code, stdout, stderr } = await run(["ca", "create", ...args]);
        expect(code).to.equal(2);
        expect(stdout + stderr).not.to.include("s3cret");
      }
      const unset = await run(["ca", "create", "--passphrase-env", "NOT_SET"]);
      expect(unset.code).to.equal(2);
      expect(unset.stderr).to.include('the variable "NOT_SET" is not set');
      expect(existsSync(home)).to.equal(false);
    });
  });

  describe("with a passphrase", () => {
    beforeEach(async () => {
      await run(["ca", "create"], { HAUBERK_CA_PASSPHRASE: PASSPHRASE });
    });

    it("signs for who knows it, from the environment or a terminal", async function () {
      const script = requireProgram(this, "script");
      const known = await run(["cert", `a${round}.test`], { HAUBERK_CA_PASSPHRASE: PASSPHRASE });
      expect(known.code).to.equal(0);
      const typed = await type(script, ["cert", `b${round}.test`], PASSPHRASE);
      expect(typed.shown).to.match(/^Passphrase of the CA: \nMade /);
      const wrong = await type(script, ["cert", `c${round}.test`], "wr0ng");
      expect(wrong.code).to.equal(1);
      expect(wrong.shown).to.include("the passphrase does not open").and.not.include("wr0ng");
    });

    it("says how to give one where nobody can be asked", async () => {
      const { code, stderr } = await run(["cert", `d${round}.test`]);
      expect(code).to.equal(1);
      expect(stderr).to.include("set HAUBERK_CA_PASSPHRASE, or call this from a terminal");
      expect(stderr).to.include("ERR_CERT_AUTHORITY_PASSPHRASE");
    });

    it("gets another one when it is rotated, or none when told so", async () => {
      const bare = await run(["ca", "rotate"]);
      expect(bare.code).to.equal(2);
      expect((await run(["ca", "rotate"], { HAUBERK_CA_PASSPHRASE: "new" })).code).to.equal(0);
      await loadAuthority({ directory: home, passphrase: "new" });
      expect((await run(["ca", "rotate", "--no-encrypt"])).code).to.equal(0);
      expect((await loadAuthority({ directory: home })).encrypted).to.equal(false);
    });
  });

  describe("show", () => {
    it("prints what the CA is, also as JSON, and exits with 0", async () => {
      await run(["ca", "create", "--ca", "work"]);
      await run(["ca", "create"]);
      const { code, stdout } = await run(["ca", "show"]);
      expect(code).to.equal(0);
      const { fingerprint256, subject } = await loadAuthority({ directory: home });
      for (const text of [subject, fingerprint256, "p256, not encrypted", "localhost, test,"]) {
        expect(stdout).to.include(text);
      }
      expect(stdout).to.match(/^ {2}other CAs {4}work\nHealth: good\n$/m);
      const json = await run(["ca", "show", "--json"]);
      expect(JSON.parse(json.stdout)).to.deep.include({ findings: [], others: ["work"] });
    });

    it("exits with 1 and says what helps when something is wrong", async () => {
      await run(["ca", "create"]);
      const keyFile = join(home, "authority", "ca-key.pem");
      chmodSync(keyFile, 0o644);
      const open = await run(["ca", "show"]);
      expect(open.code).to.equal(1);
      expect(open.stdout).to.include(`error: Others may use "${keyFile}" (mode 644)`);
      expect(open.stdout).to.include(`chmod 600 "${keyFile}"`);
      rmSync(keyFile);
      const gone = await run(["ca", "show"]);
      expect(gone.stdout).to.include(`error: "${keyFile}" is missing\n    restore it from a copy`);
      const none = await run(["ca", "show", "--ca", "none"]);
      expect(none.code).to.equal(1);
      expect(none.stdout).to.include("There is no CA in");
      expect(none.stdout).to.match(/^ {4}hauberk ca create --ca none$/m);
      const elsewhere = join(home, "else where");
      const moved = await run(["ca", "show", "--ca-dir", elsewhere]);
      expect(moved.stdout).to.include(`hauberk ca create --ca-dir "${elsewhere}"\n`);
    });

    it("exits with 0 on a mere warning", async () => {
      await run(["ca", "create", "--unconstrained"]);
      const { code, stdout } = await run(["ca", "show"]);
      expect(code).to.equal(0);
      expect(stdout).to.include("EVERY name and address").and.to.include("warning:");
    });
  });

  describe("rotate", () => {
    it("says what has to be trusted and which certificates have to be renewed", async () => {
      const certs = `certs-${round}`;
      await run(["cert", "a.test", "--out", certs]);
      await run(["cert", "b.test", "--out", certs, "--ca", "other"]);
      writeFileSync(join(root, certs, "notes.pem"), "no certificate");
      const { code, stdout } = await run(["ca", "rotate", "--certs", certs]);
      expect(code).to.equal(0);
      const aside = /kept as (authority\.\d{8}T\d{6}Z):/.exec(stdout)?.[1] ?? "";
      expect(readdirSync(home).toSorted()).to.deep.equal(["authority", aside, "other"]);
      expect(stdout).to.include(`NODE_EXTRA_CA_CERTS=${join(home, "authority", "ca.pem")}`);
      expect(stdout).to.match(new RegExp(`names of each\n {2}${certs}/a\\.test\\.pem\n$`));
      expect((await run(["ca", "show", "--ca", aside])).code).to.equal(0);
      const elsewhere = await run(["ca", "rotate", "--ca-dir", home, "--ca", "other"]);
      expect(elsewhere.stdout).to.match(
        new RegExp(`: hauberk ca show --ca-dir ${home} --ca other\\.\\d{8}T\\d{6}Z\n`),
      );
      const renewed = await run(["cert", "a.test", "--out", certs]);
      expect(renewed.stdout).to.match(/^Renewed /);
    });

    it("widens and narrows, loudly when it widens", async () => {
      await run(["ca", "create"]);
      const wide = await run(["ca", "rotate", "--permit", "example.com"]);
      expect(wide.stderr).to.include("WARNING").and.to.include("example.com");
      const narrow = await run(["ca", "rotate", "--constrained"]);
      expect(narrow.stderr).to.equal("");
      const { nameConstraints } = await loadAuthority({ directory: home });
      expect(nameConstraints?.permitted.dns).not.to.include("example.com");
      const both = await run(["ca", "rotate", "--constrained", "--unconstrained"]);
      expect(both.code).to.equal(2);
    });
  });

  describe("export", () => {
    beforeEach(async () => {
      await run(["ca", "create"]);
    });

    it("prints the certificate as PEM or DER, and nothing of the key", async () => {
      const { certificate } = await loadAuthority({ directory: home });
      const pem = await run(["ca", "export"]);
      expect(pem.stdout).to.equal(certificate);
      const out = join(root, `ca-${round}.der`);
      await run(["ca", "export", "--der", "--out", out]);
      expect(new X509Certificate(readFileSync(out)).toString()).to.equal(certificate);
    });

    it("writes the key only when told to, with a warning and for nobody else to read", async () => {
      const refused = await run(["ca", "export", "--with-key"]);
      expect([refused.code, refused.stdout]).to.deep.equal([2, ""]);
      const out = join(root, `ca-${round}.pem`);
      const { code, stderr } = await run(["ca", "export", "--with-key", "--out", out]);
      expect(code).to.equal(0);
      expect(stderr).to.include("WARNING: whoever reads");
      const keyOut = join(root, `ca-${round}-key.pem`);
      const keyFile = join(home, "authority", "ca-key.pem");
      expect(readFileSync(keyOut, "utf8")).to.equal(readFileSync(keyFile, "utf8"));
      expect(statSync(keyOut).mode & 0o777).to.equal(0o600);
    });

    it("replaces a file only with --force, and then not with the old file's permissions", async () => {
      const out = join(root, `there-${round}.pem`);
      const keyOut = join(root, `there-${round}-key.pem`);
      for (const path of [out, keyOut]) writeFileSync(path, "mine", { mode: 0o666 });
      const args = ["ca", "export", "--with-key", "--out", out];
      const refused = await run(args);
      expect(refused.code).to.equal(1);
      expect(readFileSync(out, "utf8")).to.equal("mine");
      expect((await run([...args, "--force"])).code).to.equal(0);
      expect(statSync(keyOut).mode & 0o777).to.equal(0o600);
    });

    it("says so when the folder to write to is not there", async () => {
      const out = join(root, "nowhere", "ca.pem");
      const { code, stderr } = await run(["ca", "export", "--out", out]);
      expect([code, stderr]).to.deep.equal([
        1,
        `hauberk: Cannot write ${out}: there is no folder ${join(root, "nowhere")}\n`,
      ]);
    });

    it("says what is wrong when there is no certificate to export", async () => {
      rmSync(join(home, "authority", "ca.pem"));
      const { code, stderr } = await run(["ca", "export"]);
      expect(code).to.equal(1);
      expect(stderr).to.include('ca.pem" is missing; restore it from a copy');
    });
  });
});
