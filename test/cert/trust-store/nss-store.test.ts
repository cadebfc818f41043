import { execFile, spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { expect } from "chai";
import { before, describe, it } from "mocha";
import { createAuthority } from "@hauberk/cert";
import {
  localMachine,
  trustStores,
  type Machine,
  type MachineOptions,
  type TrustStore,
} from "@hauberk/cert/trust-store";
import { requireProgram } from "../../support/external.ts";
import { tempDirectory } from "../../support/temp-directory.ts";
import { findStore, testAnchor } from "../../support/trust-stores.ts";

const execute = promisify(execFile);

describe("NSS databases", () => {
  const folder = tempDirectory();
  const ca = testAnchor(folder, "ca");
  const namesake = testAnchor(folder, "namesake");
  const environment = { PATH: process.env["PATH"] };
  let certutil = "";
  let empty = "";

  before(async function () {
    certutil = requireProgram(this, "certutil");
    empty = join(folder, "empty");
    mkdirSync(empty);
    await execute(certutil, ["-N", "--empty-password", "-d", `sql:${empty}`]);
  });

  function machineAt(home: string, options: MachineOptions = {}): Machine {
    return localMachine({
      home,
      env: { ...environment, HOME: home },
      platform: "linux",
      ...options,
    });
  }

  /** Makes an empty database at `path` below a home folder. */
  function database(home: string, path: string): string {
    const directory = join(home, path);
    cpSync(empty, directory, { recursive: true });
    return directory;
  }

  async function nicknames(directory: string): Promise<string[]> {
    const { stdout } = await execute(certutil, ["-L", "-d", `sql:${directory}`]);
    return stdout
      .split("\n")
      .slice(4)
      .flatMap((line) => /^(.*\S) +\S*,\S*,\S* *$/.exec(line)?.[1] ?? []);
  }

  async function add(directory: string, nickname: string, file: string): Promise<void> {
    const entry = ["-A", "-n", nickname, "-t", "C,,", "-i", file];
    await execute(certutil, [...entry, "-d", `sql:${directory}`]);
  }

  it("are changed once by install and once by uninstall", async () => {
    const home = join(folder, "twice");
    const directory = database(home, ".pki/nssdb");
    const store = await findStore(machineAt(home), "nss");
    const outcomes = [
      await store.install(ca),
      await store.install(ca),
      await store.uninstall(ca),
      await store.uninstall(ca),
    ].map(({ outcome }) => outcome);
    expect(outcomes).to.deep.equal(["changed", "unchanged", "changed", "unchanged"]);
    expect(await nicknames(directory)).to.deep.equal([]);
  });

  it("keep two CAs of the same subject apart", async () => {
    const home = join(folder, "namesakes");
    const directory = database(home, ".pki/nssdb");
    const store = await findStore(machineAt(home), "nss");
    await store.install(ca);
    expect((await store.status(namesake)).state).to.equal("untrusted");
    await store.install(namesake);
    expect((await store.uninstall(ca)).outcome).to.equal("changed");
    expect((await store.status(ca)).state).to.equal("untrusted");
    expect((await store.status(namesake)).state).to.equal("trusted");
    expect(await nicknames(directory)).to.deep.equal([namesake.label]);
  });

  it("lose the right one of two CAs that somebody gave one nickname", async () => {
    for (const [victim, survivor] of [
      [ca, namesake],
      [namesake, ca],
    ] as const) {
      const home = join(folder, `shared-${victim.label}`);
      const directory = database(home, ".pki/nssdb");
      for (const { certificateFile } of [ca, namesake])
        await add(directory, "dev", certificateFile);
      const store = await findStore(machineAt(home), "nss");
      expect((await store.uninstall(victim)).outcome).to.equal("changed");
      expect((await store.status(victim)).state).to.equal("untrusted");
      expect((await store.status(survivor)).state).to.equal("trusted");
    }
  });

  it("know a CA with an RSA key", async () => {
    const home = join(folder, "rsa");
    database(home, ".pki/nssdb");
    const { certificate } = await createAuthority({ key: "rsa2048" });
    const rsa = testAnchor(folder, "rsa-ca", certificate);
    const store = await findStore(machineAt(home), "nss");
    expect((await store.install(rsa)).outcome).to.equal("changed");
    expect((await store.uninstall(rsa)).outcome).to.equal("changed");
  });

  for (const [flags, meaning] of [
    [",,", "without trust"],
    ["c,,", "as a valid CA that is not trusted"],
    ["T,,", "trusted for clients alone"],
    [",C,C", "trusted for mail and code alone"],
  ] as const) {
    it(`take up a CA that was there ${meaning}`, async () => {
      const home = join(folder, `flags-${flags}`);
      const directory = database(home, ".pki/nssdb");
      const entry = ["-A", "-n", "seen", "-t", flags, "-i", ca.certificateFile];
      await execute(certutil, [...entry, "-d", `sql:${directory}`]);
      const store = await findStore(machineAt(home), "nss");
      expect((await store.status(ca)).state).to.equal("untrusted");
      expect((await store.install(ca)).outcome).to.equal("changed");
      expect((await store.status(ca)).state).to.equal("trusted");
    });
  }

  it("take paths and subjects for what they are, never for a command", async () => {
    const home = join(folder, "it's a $(touch pwned) `home`; -d x");
    database(home, ".pki/nssdb");
    const { certificate } = await createAuthority();
    const hostile = testAnchor(home, "-i $(touch pwned) 'ca\"", certificate);
    const store = await findStore(machineAt(home), "nss");
    expect((await store.install(hostile)).outcome).to.equal("changed");
    expect((await store.uninstall(hostile)).outcome).to.equal("changed");
    expect(readdirSync(process.cwd())).to.not.include("pwned");
  });

  describe("are found", () => {
    async function places(home: string, options?: MachineOptions): Promise<[string, string][]> {
      const stores = await trustStores({ machine: machineAt(home, options), names: ["nss"] });
      return stores.map(({ title, location }) => [title, location.slice(home.length + 1)]);
    }

    it("in profiles of Firefox, wherever profiles.ini says they are", async () => {
      const home = join(folder, "firefox");
      database(home, ".mozilla/firefox/k3x9.default");
      database(home, ".config/mozilla/firefox/new.default");
      const elsewhere = database(home, "elsewhere");
      writeFileSync(
        join(home, ".mozilla/firefox/profiles.ini"),
        `[Profile0]\nName=default\nIsRelative=1\nPath=k3x9.default\n\n` +
          `[Profile1]\nName=work\nIsRelative=0\nPath=${elsewhere}\n`,
      );
      mkdirSync(join(home, ".mozilla/firefox/Crash Reports"));
      database(home, ".pki/nssdb");
      expect(await places(home)).to.deep.equal([
        ["Chromium", ".pki/nssdb"],
        ["Firefox profile k3x9.default", ".mozilla/firefox/k3x9.default"],
        ["Firefox profile elsewhere", "elsewhere"],
        ["Firefox profile new.default", ".config/mozilla/firefox/new.default"],
      ]);
    });

    it("in the homes of snap and flatpak, each once", async () => {
      const home = join(folder, "packaged");
      database(home, ".pki/nssdb");
      database(home, "snap/chromium/2950/.pki/nssdb");
      symlinkSync("2950", join(home, "snap/chromium/current"));
      database(home, "snap/firefox/common/.mozilla/firefox/a1.default");
      database(home, ".var/app/org.chromium.Chromium/.pki/nssdb");
      database(home, ".var/app/com.brave.Browser/data/pki/nssdb");
      database(home, ".var/app/org.mozilla.firefox/.mozilla/firefox/b2.default");
      expect(await places(home)).to.deep.equal([
        ["Chromium", ".pki/nssdb"],
        ["Chromium (snap)", "snap/chromium/current/.pki/nssdb"],
        ["Chromium (flatpak)", ".var/app/com.brave.Browser/data/pki/nssdb"],
        ["Chromium (flatpak)", ".var/app/org.chromium.Chromium/.pki/nssdb"],
        ["Firefox profile a1.default (snap)", "snap/firefox/common/.mozilla/firefox/a1.default"],
        [
          "Firefox profile b2.default (flatpak)",
          ".var/app/org.mozilla.firefox/.mozilla/firefox/b2.default",
        ],
      ]);
    });

    it("where Chromium makes them since M146, and none is made beside it that would hide it", async () => {
      const home = join(folder, "xdg");
      database(home, ".local/share/pki/nssdb");
      expect(await places(home)).to.deep.equal([["Chromium", ".local/share/pki/nssdb"]]);
      const moved = join(folder, "xdg-moved");
      const env = { ...environment, XDG_DATA_HOME: join(moved, "data") };
      database(moved, "data/pki/nssdb");
      expect(await places(moved, { env })).to.deep.equal([["Chromium", "data/pki/nssdb"]]);
    });

    it("not at all where there is no browser, unless they are asked for", async () => {
      const home = join(folder, "none");
      const machine = machineAt(home, { env: {} });
      const titles = (await trustStores({ machine })).filter(({ name }) => name === "nss");
      expect(titles.map(({ location }) => location)).to.deep.equal([""]);
      expect(await places(home, { env: {} })).to.deep.equal([["Chromium", ".pki/nssdb"]]);
    });
  });

  it("are made by install where Chromium has none yet", async () => {
    const home = join(folder, "fresh");
    mkdirSync(home);
    const store = await findStore(machineAt(home), "nss");
    expect((await store.status(ca)).state).to.equal("untrusted");
    expect((await store.uninstall(ca)).outcome).to.equal("unchanged");
    expect((await store.install(ca)).outcome).to.equal("changed");
    expect((await store.status(ca)).state).to.equal("trusted");
  });

  it("need certutil, and say how to get it", async () => {
    const home = join(folder, "no-certutil");
    const root = join(folder, "no-certutil-root");
    mkdirSync(join(root, "usr/bin"), { recursive: true });
    writeFileSync(join(root, "usr/bin/apt-get"), "");
    database(join(root, home), ".pki/nssdb");
    const machine = machineAt(home, { root, isRoot: false, env: { PATH: "/usr/bin" } });
    expect(await (await findStore(machine, "nss")).install(ca)).to.deep.equal({
      outcome: "failed",
      obstacle: {
        reason: "certutil of NSS is not installed",
        commands: [{ program: "sudo", args: ["apt-get", "install", "--yes", "libnss3-tools"] }],
      },
    });
  });

  it("that are damaged are in doubt, not untrusted", async () => {
    const home = join(folder, "damaged");
    const directory = database(home, ".pki/nssdb");
    writeFileSync(join(directory, "cert9.db"), "this is no database");
    const status = await (await findStore(machineAt(home), "nss")).status(ca);
    expect(status.state).to.equal("unknown");
    expect(status)
      .to.have.nested.property("obstacle.reason")
      .that.matches(/^certutil cannot read the database: .*SEC_ERROR/);
  });

  describe("that cannot be written", () => {
    async function readOnlyStore(options: MachineOptions): Promise<TrustStore> {
      const home = join(folder, `read-only-${Object.keys(options).join("-")}`);
      const directory = database(home, ".pki/nssdb");
      for (const name of readdirSync(directory)) chmodSync(join(directory, name), 0o444);
      chmodSync(directory, 0o555);
      chmodSync(folder, 0o755);
      return findStore(machineAt(home, options), "nss");
    }

    it("by this user are left to root, with the exact command", async () => {
      const home = join(folder, "foreign");
      database(home, ".pki/nssdb");
      const machine = { ...machineAt(home, { isRoot: false }), isWritable: async () => false };
      const change = await (await findStore(machine, "nss")).install(ca);
      expect(change).to.have.nested.property("obstacle.reason", "it needs the rights of root");
      expect(change).to.have.nested.property("obstacle.commands[0].program", "sudo");
      expect(change).to.have.nested.property("obstacle.commands[0].args[0]", certutil);
    });

    it("are named as read-only when certutil says so", async function () {
      if (process.getuid?.() !== 0) this.skip();
      const store = await readOnlyStore({
        async run({ program, args }) {
          const child = spawn(program, args, { uid: 65_534, gid: 65_534, stdio: "pipe" });
          const [stdout, stderr, [code]] = await Promise.all([
            text(child.stdout),
            text(child.stderr),
            once(child, "close") as Promise<[number]>,
          ]);
          return { code, stdout, stderr };
        },
      });
      const change = await store.install(ca);
      expect(change).to.have.nested.property(
        "obstacle.reason",
        "the database is read-only for this user",
      );
      expect(change).to.have.nested.property("obstacle.commands[0].program", certutil);
      expect((await store.status(ca)).state).to.equal("untrusted");
    });
  });

  it("with a password are left as they were, and the user is told to use a terminal", async () => {
    const home = join(folder, "password");
    const directory = join(home, ".pki/nssdb");
    mkdirSync(directory, { recursive: true });
    const passwordFile = join(home, "password");
    writeFileSync(passwordFile, "correct horse\n");
    await execute(certutil, ["-N", "-f", passwordFile, "-d", `sql:${directory}`]);
    const store = await findStore(
      machineAt(home, {
        async run({ program, args }) {
          // A session of its own has no terminal that certutil could ask at.
          const child = spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
          const [stdout, stderr, [code]] = await Promise.all([
            text(child.stdout),
            text(child.stderr),
            once(child, "close") as Promise<[number]>,
          ]);
          return { code, stdout, stderr };
        },
      }),
      "nss",
    );
    const change = await store.install(ca);
    expect(change).to.have.nested.property(
      "obstacle.reason",
      "the database has a password, which certutil asks for in a terminal",
    );
    expect(await nicknames(directory)).to.deep.equal([]);
  });
});
