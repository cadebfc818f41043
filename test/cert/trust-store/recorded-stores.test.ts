import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { describe, it } from "mocha";
import { localMachine, type Machine } from "@hauberk/cert/trust-store";
import { playTranscript, type Transcript } from "../../support/command-transcript.ts";
import { tempDirectory } from "../../support/temp-directory.ts";
import { findStore, spaced, testAnchor } from "../../support/trust-stores.ts";

const escaped = (pem: string): string => pem.replaceAll("\n", String.raw`\n`);

describe("trust stores of other systems, by recorded transcripts", () => {
  const folder = tempDirectory();
  const ca = testAnchor(folder, "ca");
  const other = testAnchor(folder, "other");

  describe("macOS", () => {
    const home = "/Users/dev";
    const values = {
      FILE: ca.certificateFile,
      KEYCHAIN: `${home}/Library/Keychains/login.keychain-db`,
      SHA1: ca.sha1,
      SHA256: ca.sha256,
    };
    const macos = (transcript: Transcript): Machine =>
      localMachine({ platform: "darwin", isRoot: false, env: {}, home, run: transcript.run });

    it("trusts the CA for TLS in the login keychain, once, and takes it out by its hash", async () => {
      const transcript = playTranscript("macos-keychain", { values });
      const store = await findStore(macos(transcript), "system");
      expect((await store.install(ca)).outcome).to.equal("changed");
      expect((await store.install(ca)).outcome).to.equal("unchanged");
      expect((await store.uninstall(ca)).outcome).to.equal("changed");
      expect(transcript.remaining()).to.deep.equal([]);
    });

    it("does not believe a command that ended well without doing anything", async () => {
      const transcript = playTranscript("macos-no-window", { values });
      const store = await findStore(macos(transcript), "system");
      const change = await store.install(ca);
      expect(change.outcome).to.equal("failed");
      expect(change).to.have.nested.property(
        "obstacle.reason",
        "the CA is still not trusted, although no command failed",
      );
      expect(transcript.remaining()).to.deep.equal([]);
    });
  });

  describe("Windows", () => {
    const program = String.raw`C:\Windows\System32\certutil.exe`;
    const sha1 = ca.sha1.toLowerCase();
    const values = { SHA1: sha1, SPACED_SHA1: spaced(sha1) };

    it("goes by the hash and the number of the error, in any language", async () => {
      const transcript = playTranscript("windows-root-store", {
        values: { ...values, CERTUTIL: program, FILE: ca.certificateFile },
      });
      const machine = localMachine({
        platform: "win32",
        isRoot: false,
        env: {},
        run: transcript.run,
      });
      const store = await findStore(machine, "system");
      expect((await store.install(ca)).outcome).to.equal("changed");
      expect((await store.install(ca)).outcome).to.equal("unchanged");
      expect((await store.uninstall(ca)).outcome).to.equal("changed");
      expect(transcript.remaining()).to.deep.equal([]);
    });

    const root = join(folder, "wsl");
    const osrelease = join(root, "proc/sys/kernel/osrelease");
    mkdirSync(dirname(osrelease), { recursive: true });
    writeFileSync(osrelease, "5.15.167.4-microsoft-standard-WSL2\n");
    const wsl = (transcript: Transcript): Machine =>
      localMachine({ platform: "linux", isRoot: false, env: {}, root, run: transcript.run });

    it("is reached from WSL, with the file under its Windows name", async () => {
      const transcript = playTranscript("wsl-root-store", {
        values: {
          ...values,
          CERTUTIL: "/mnt/c/Windows/System32/certutil.exe",
          FILE: ca.certificateFile,
          WINDOWS_FILE: String.raw`\\wsl.localhost\Debian\home\dev\ca.pem`,
        },
      });
      const store = await findStore(wsl(transcript), "windows");
      expect((await store.install(ca)).outcome).to.equal("changed");
      expect(transcript.remaining()).to.deep.equal([]);
    });

    it("is in doubt under a WSL that cannot start Windows programs", async () => {
      const transcript = playTranscript("wsl-without-interop", {
        values: { ...values, CERTUTIL: "/mnt/c/Windows/System32/certutil.exe" },
      });
      const store = await findStore(wsl(transcript), "windows");
      const status = await store.status(ca);
      expect(status.state).to.equal("unknown");
      expect(status).to.have.nested.property("obstacle.reason").that.includes("ENOEXEC");
    });

    it("is absent on a Linux that is no WSL", async () => {
      const machine = localMachine({ platform: "linux", root: join(folder, "none") });
      expect((await (await findStore(machine, "windows")).status(ca)).state).to.equal("absent");
    });
  });

  for (const { name, anchors, program, bundle } of [
    {
      name: "fedora",
      anchors: "/etc/pki/ca-trust/source/anchors",
      program: "/usr/bin/update-ca-trust",
      bundle: "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    },
    {
      name: "opensuse",
      anchors: "/etc/pki/trust/anchors",
      program: "/usr/sbin/update-ca-certificates",
      bundle: "/var/lib/ca-certificates/ca-bundle.pem",
    },
    {
      name: "arch",
      anchors: "/etc/ca-certificates/trust-source/anchors",
      program: "/usr/bin/trust",
      bundle: "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
    },
  ]) {
    describe(name, () => {
      const prepare = (label: string): string => {
        const root = join(folder, `${name}-${label}`);
        mkdirSync(join(root, anchors), { recursive: true });
        mkdirSync(dirname(join(root, bundle)), { recursive: true });
        mkdirSync(dirname(join(root, program)), { recursive: true });
        writeFileSync(join(root, program), "");
        writeFileSync(join(root, bundle), `# system\n${other.certificate}`);
        writeFileSync(join(root, anchors, "other.pem"), other.certificate);
        return root;
      };
      const values = {
        FILE: ca.certificateFile,
        LABEL: ca.label,
        CA: escaped(ca.certificate),
        OTHER: escaped(other.certificate),
      };

      it("gets an anchor and a new bundle as root, and loses only that anchor again", async () => {
        const root = prepare("root");
        const transcript = playTranscript(`${name}-system-store`, { values, root });
        const machine = localMachine({
          platform: "linux",
          isRoot: true,
          env: {},
          root,
          run: transcript.run,
        });
        const store = await findStore(machine, "system");
        expect((await store.install(ca)).outcome).to.equal("changed");
        expect(readFileSync(join(root, bundle), "utf8")).to.include(ca.certificate);
        expect((await store.install(ca)).outcome).to.equal("unchanged");
        expect((await store.uninstall(ca)).outcome).to.equal("changed");
        expect((await store.uninstall(ca)).outcome).to.equal("unchanged");
        expect(transcript.remaining()).to.deep.equal([]);
        expect((await store.status(other)).state).to.equal("trusted");
      });

      it("says the exact commands to a user who is not root, and runs none", async () => {
        const root = prepare("user");
        const machine = localMachine({
          platform: "linux",
          isRoot: false,
          env: {},
          root,
          run: () => Promise.reject(new Error("nothing may run")),
        });
        const change = await (await findStore(machine, "system")).install(ca);
        expect(change.outcome).to.equal("failed");
        expect(change).to.have.nested.property("obstacle.reason", "it needs the rights of root");
        expect(change)
          .to.have.nested.property("obstacle.commands[0]")
          .that.includes({ program: "sudo" });
        expect(change).to.have.nested.property("obstacle.commands[1].args[0]", program);
      });
    });
  }
});
