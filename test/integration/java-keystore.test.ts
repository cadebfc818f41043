import { execFile } from "node:child_process";
import { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { before, describe, it } from "mocha";
import { localMachine, type Machine } from "@hauberk/cert/trust-store";
import { requireProgram } from "../support/external.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { findStore, testAnchor } from "../support/trust-stores.ts";

const execute = promisify(execFile);

describe("a Java keystore", function () {
  this.timeout(30_000);
  const folder = tempDirectory();
  const ca = testAnchor(folder, "ca");
  const namesake = testAnchor(folder, "namesake");
  let keytool = "";

  before(function () {
    keytool = requireProgram(this, "keytool");
  });

  /** Makes a Java of its own whose keystore holds `namesake` under the alias "somebody's". */
  async function javaAt(name: string, password: string): Promise<string> {
    const home = join(folder, name);
    mkdirSync(join(home, "lib", "security"), { recursive: true });
    symlinkSync(join(dirname(realpathSync(keytool))), join(home, "bin"));
    const store = ["-keystore", join(home, "lib", "security", "cacerts"), "-storepass", password];
    const entry = ["-alias", "somebody's", "-file", namesake.certificateFile];
    await execute(keytool, ["-importcert", "-noprompt", ...entry, ...store]);
    return home;
  }

  function machineWith(env: Readonly<Record<string, string>>): Machine {
    return localMachine({ env: { LANG: "de_DE.UTF-8", ...env } });
  }

  it("is changed once each way, and keeps another CA of the same subject", async () => {
    const machine = machineWith({ JAVA_HOME: await javaAt("standard", "changeit") });
    const store = await findStore(machine, "java");
    expect((await store.status(namesake)).state).to.equal("trusted");
    expect((await store.install(ca)).outcome).to.equal("changed");
    expect((await store.install(ca)).outcome).to.equal("unchanged");
    expect((await store.uninstall(ca)).outcome).to.equal("changed");
    expect((await store.uninstall(ca)).outcome).to.equal("unchanged");
    expect((await store.status(namesake)).state).to.equal("trusted");
  });

  it("opens with the password of the environment, which no argument shows", async () => {
    const home = await javaAt("own-password", "correct-horse");
    const locked = await findStore(machineWith({ JAVA_HOME: home }), "java");
    const status = await locked.status(ca);
    expect(status)
      .to.have.nested.property("obstacle.reason")
      .that.includes("HAUBERK_JAVA_STOREPASS");
    const env = { JAVA_HOME: home, HAUBERK_JAVA_STOREPASS: "correct-horse" };
    const store = await findStore(machineWith(env), "java");
    const change = await store.install(ca);
    expect(change.outcome).to.equal("changed");
    expect(JSON.stringify(change)).to.not.include("correct-horse");
  });

  it("that only root may write gets its password through sudo", async () => {
    const home = await javaAt("foreign", "correct-horse");
    const env = { JAVA_HOME: home, HAUBERK_JAVA_STOREPASS: "correct-horse" };
    const machine = { ...machineWith(env), isRoot: false, isWritable: async () => false };
    const change = await (await findStore(machine, "java")).install(ca);
    expect(change).to.have.nested.property("obstacle.commands[0].program", "sudo");
    expect(change).to.have.nested.property(
      "obstacle.commands[0].args[0]",
      "--preserve-env=HAUBERK_JAVA_STOREPASS",
    );
  });
});
