import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { describe, it } from "mocha";
import { requireProgram } from "../support/external.ts";
import { type Finished, runHauberk } from "../support/hauberk-process.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const execute = promisify(execFile);

describe("hauberk ca, who trusts it", () => {
  const folder = tempDirectory();

  /** Runs `hauberk ca` for a user whose home is `<folder>/<name>`, and who has no Java. */
  function runFor(name: string, program = ""): (...args: string[]) => Promise<Finished> {
    const home = join(folder, name);
    mkdirSync(home, { recursive: true });
    const path = program === "" ? join(folder, "no-programs") : join(program, "..");
    const env = { HOME: home, HAUBERK_HOME: join(home, "ca"), PATH: path, JAVA_HOME: "" };
    return (...args) => runHauberk(["ca", ...args], { cwd: home, env });
  }

  it("installs, shows and uninstalls in the stores that are chosen", async function () {
    const run = runFor("chosen", requireProgram(this, "certutil"));
    const installed = await run("install", "--store", "nss");
    expect(installed.code, installed.stderr).to.equal(0);
    expect(installed.stdout).to.match(/^Chromium \(.*nssdb\): trusted now\n {2}ran {2}mkdir/m);
    expect((await run("install", "--store", "nss")).stdout).to.match(/: trusted already$/m);

    const status = JSON.parse((await run("status", "--json")).stdout) as {
      certificateFile: string;
      stores: { store: string; state: string }[];
    };
    expect(status.certificateFile).to.equal(join(folder, "chosen", "ca", "authority", "ca.pem"));
    expect(status.stores.filter(({ state }) => state === "trusted")).to.have.lengthOf(1);
    expect(status.stores.map(({ store }) => store)).to.include.members(["system", "nss", "java"]);

    expect((await run("uninstall", "--store", "nss")).stdout).to.match(/: no longer trusted$/m);
    expect((await run("uninstall", "--store", "nss")).stdout).to.match(/: was not trusted$/m);
  });

  it("ends with 1 and says what is needed when a store cannot be changed", async () => {
    const run = runFor("without-certutil");
    const { code, stdout, stderr } = await run("install", "--store", "nss");
    expect(code).to.equal(1);
    expect(stdout).to.match(/^Chromium .*: FAILED\n {2}certutil of NSS is not installed$/m);
    expect(stderr).to.include("1 of 1 trust stores could not be made to trust the CA");
    expect((await run("status", "--store", "nss")).stdout).to.match(/^Chromium .*: cannot tell$/m);
  });

  it("uninstalls nothing where there is no CA", async () => {
    const { code, stderr } = await runFor("empty")("uninstall", "--store", "nss");
    expect(code).to.equal(1);
    expect(stderr).to.include("ERR_CERT_AUTHORITY_MISSING");
  });

  it("refuses a store that it does not know", async () => {
    const { code, stderr } = await runFor("misspelt")("install", "--store", "firefox");
    expect(code).to.equal(2);
    expect(stderr).to.include("--store");
  });

  it("warns of a CA without name constraints before it is trusted", async function () {
    const run = runFor("unconstrained", requireProgram(this, "certutil"));
    await run("create", "--unconstrained");
    expect((await run("install", "--store", "nss")).stderr).to.include("WARNING: this CA may sign");
  });

  it("prints variables that a POSIX shell takes whatever the folder is called", async () => {
    const run = runFor('it\'s $HOME `id` "x" \\ done');
    await run("create");
    const { code, stdout } = await run("env", "--shell", "sh");
    expect(code).to.equal(0);
    const script = `eval "$1"; printf '%s\\n' "$NODE_EXTRA_CA_CERTS" "$SSL_CERT_FILE"`;
    const printed = await execute("/bin/sh", ["-c", script, "sh", stdout]);
    const authority = join(folder, 'it\'s $HOME `id` "x" \\ done', "ca", "authority");
    expect(printed.stdout.split("\n").slice(0, 2)).to.deep.equal([
      join(authority, "ca.pem"),
      join(authority, "ca-bundle.pem"),
    ]);
  });

  it("quotes for fish and PowerShell, and refuses what cmd cannot hold", async () => {
    const run = runFor("a ’b' \\c %d%");
    await run("create");
    const file = join(folder, "a ’b' \\c %d%", "ca", "authority", "ca.pem");
    const first = async (shell: string): Promise<string | undefined> =>
      (await run("env", "--shell", shell)).stdout.split("\n")[1];
    const forFish = file.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
    expect(await first("fish")).to.equal(`set -gx NODE_EXTRA_CA_CERTS '${forFish}'`);
    const forPowershell = file.replaceAll("'", "''").replaceAll("’", "’’");
    expect(await first("powershell")).to.equal(`$env:NODE_EXTRA_CA_CERTS = '${forPowershell}'`);
    const { code, stdout, stderr } = await run("env", "--shell", "cmd");
    expect(code).to.equal(2);
    expect(stdout).to.equal("");
    expect(stderr).to.include("use --shell powershell");
  });

  it("speaks cmd where the folder permits", async () => {
    const run = runFor("plain");
    await run("create");
    const { stdout } = await run("env", "--shell", "cmd");
    const file = join(folder, "plain", "ca", "authority", "ca.pem");
    expect(stdout.split("\n")[1]).to.equal(`set "NODE_EXTRA_CA_CERTS=${file}"`);
  });

  it("prints how to set the variables of the CA asked for, not those of the usual one", async () => {
    const run = runFor("named");
    const ca = ["--ca-dir", join(folder, "named", "its ca"), "--ca", "work"];
    await run("create", ...ca);
    const { stdout } = await run("env", "--shell", "sh", ...ca);
    expect(stdout).to.include(`eval "$(hauberk ca env --shell sh --ca-dir '${ca[1]}' --ca work)"`);
  });
});
