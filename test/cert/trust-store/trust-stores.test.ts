import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { describe, it } from "mocha";
import { openAuthority } from "@hauberk/cert";
import {
  localMachine,
  readTrustAnchor,
  TRUST_STORE_NAMES,
  trustStores,
} from "@hauberk/cert/trust-store";
import { rejection } from "../../support/rejection.ts";
import { tempDirectory } from "../../support/temp-directory.ts";
import { findStore, testAnchor } from "../../support/trust-stores.ts";

const folder = tempDirectory();

describe("trustStores()", () => {
  it("lists what is asked for and not there as absent, which no change touches", async () => {
    const machine = localMachine({
      platform: "linux",
      root: join(folder, "bare"),
      env: {},
      home: "/home/dev",
      run: () => Promise.reject(new Error("nothing may run")),
    });
    const ca = testAnchor(folder, "absent");
    const names = ["system", "windows", "java"] as const;
    const stores = await trustStores({ machine, names });
    expect(stores.map(({ name }) => name)).to.deep.equal(names);
    for (const store of stores) {
      expect(await store.status(ca)).to.deep.equal({ state: "absent" });
      expect(await store.install(ca)).to.deep.equal({ outcome: "absent" });
      expect(await store.uninstall(ca)).to.deep.equal({ outcome: "absent" });
    }
  });

  it("lists the store of Windows unasked only where there is one", async () => {
    const machine = localMachine({ platform: "linux", root: join(folder, "bare"), env: {} });
    const names = (await trustStores({ machine })).map(({ name }) => name);
    expect(names).to.deep.equal(TRUST_STORE_NAMES.filter((name) => name !== "windows"));
  });

  it("refuses unknown names and options", async () => {
    const names = ["keychain"] as unknown as readonly ["nss"];
    const error = await rejection(trustStores({ names }));
    expect(error).to.be.instanceOf(TypeError);
    expect(error.message).to.equal('names may hold system, windows, nss, java; got "keychain"');
    const misspelt = { stores: ["nss"] } as object;
    expect((await rejection(trustStores(misspelt))).message).to.include('unknown option "stores"');
  });
});

describe("the system store of Debian", () => {
  const anchors = "/usr/local/share/ca-certificates";
  const bundle = "etc/ssl/certs/ca-certificates.crt";
  const ca = testAnchor(folder, "ca");
  const other = testAnchor(folder, "other");

  function debian(name: string): { root: string; anchorFile: (name: string) => string } {
    const root = join(folder, name);
    for (const path of [anchors, "etc/ssl/certs", "usr/sbin"]) {
      mkdirSync(join(root, path), { recursive: true });
    }
    writeFileSync(join(root, "usr/sbin/update-ca-certificates"), "");
    writeFileSync(join(root, bundle), `${ca.certificate}${other.certificate}`);
    return { root, anchorFile: (file) => join(root, anchors, file) };
  }

  it("keeps a file of several CAs, and says that the CA is still trusted", async () => {
    const { root, anchorFile } = debian("several");
    writeFileSync(anchorFile("team.crt"), `${ca.certificate}${other.certificate}`);
    const programs: string[] = [];
    const machine = localMachine({
      platform: "linux",
      root,
      isRoot: true,
      env: {},
      async run({ program }) {
        programs.push(program);
        return { code: 0, stdout: "0 added, 0 removed; done.", stderr: "" };
      },
    });
    const change = await (await findStore(machine, "system")).uninstall(ca);
    expect(change).to.have.nested.property(
      "obstacle.reason",
      "the CA is still trusted, although no command failed",
    );
    expect(programs).to.deep.equal(["/usr/sbin/update-ca-certificates"]);
  });

  it("takes out the CA under whatever name it is there", async () => {
    const { root, anchorFile } = debian("renamed");
    writeFileSync(anchorFile("by-hand.crt"), ca.certificate);
    writeFileSync(anchorFile("hauberk-0000000000000000.crt"), other.certificate);
    const commands: string[] = [];
    const machine = localMachine({
      platform: "linux",
      root,
      isRoot: true,
      env: {},
      async run({ program, args }) {
        commands.push([program, ...args].join(" "));
        if (program === "rm") rmSync(anchorFile("by-hand.crt"));
        else writeFileSync(join(root, bundle), other.certificate);
        return { code: 0, stdout: "", stderr: "" };
      },
    });
    const change = await (await findStore(machine, "system")).uninstall(ca);
    expect(change.outcome).to.equal("changed");
    expect(commands).to.deep.equal([
      `rm -f ${anchors}/by-hand.crt`,
      "/usr/sbin/update-ca-certificates --fresh",
    ]);
  });

  it("undoes an installation whose second command fails, and names what is left to run", async () => {
    const { root, anchorFile } = debian("half");
    writeFileSync(join(root, bundle), other.certificate);
    const machine = localMachine({
      platform: "linux",
      root,
      isRoot: true,
      env: {},
      async run({ program, args }) {
        const file = join(root, args.at(-1) ?? "");
        if (program === "install") writeFileSync(file, ca.certificate);
        else if (program === "rm") rmSync(file);
        else return { code: 1, stdout: "", stderr: "cannot write: No space left on device\n" };
        return { code: 0, stdout: "", stderr: "" };
      },
    });
    const store = await findStore(machine, "system");
    const change = await store.install(ca);
    expect(change).to.have.nested.property(
      "obstacle.reason",
      "/usr/sbin/update-ca-certificates failed: cannot write: No space left on device",
    );
    expect(change).to.have.nested.property("obstacle.commands.length", 1);
    expect(() => readFileSync(anchorFile(`${ca.label}.crt`))).to.throw("ENOENT");
  });

  it("asks for the package when the command is missing", async () => {
    const { root } = debian("bare-image");
    rmSync(join(root, "usr/sbin/update-ca-certificates"));
    mkdirSync(join(root, "usr/bin"));
    writeFileSync(join(root, "usr/bin/apt-get"), "");
    const env = { PATH: "relative:/usr/bin" };
    const machine = localMachine({ platform: "linux", root, isRoot: true, env });
    expect(await (await findStore(machine, "system")).status(ca)).to.deep.equal({
      state: "unknown",
      obstacle: {
        reason: "/usr/sbin/update-ca-certificates is not installed",
        commands: [{ program: "apt-get", args: ["install", "--yes", "ca-certificates"] }],
      },
    });
  });

  it("is changed through sudo only when that is permitted", async () => {
    const { root } = debian("sudo");
    writeFileSync(join(root, bundle), other.certificate);
    const programs: string[] = [];
    const machine = localMachine({
      platform: "linux",
      root,
      isRoot: false,
      env: {},
      async run({ program, args }) {
        programs.push(`${program} ${args[0] ?? ""}`);
        writeFileSync(join(root, bundle), ca.certificate);
        return { code: 0, stdout: "", stderr: "" };
      },
    });
    const [plain] = await trustStores({ machine, names: ["system"] });
    expect((await plain?.install(ca))?.outcome).to.equal("failed");
    expect(programs).to.deep.equal([]);
    const [permitted] = await trustStores({ machine, names: ["system"], sudo: true });
    expect((await permitted?.install(ca))?.outcome).to.equal("changed");
    expect(programs).to.deep.equal(["sudo install", "sudo /usr/sbin/update-ca-certificates"]);
  });
});

describe("readTrustAnchor()", () => {
  it("reads the CA that openAuthority made, encrypted or expired", async () => {
    const directory = join(folder, "authorities");
    const now = new Date("2000-01-01");
    const { certificate, certificateFile } = await openAuthority({
      directory,
      passphrase: "correct horse",
      now,
    });
    expect(await readTrustAnchor({ directory })).to.deep.equal({ certificate, certificateFile });
  });

  it("refuses what is no CA, and says when there is none", async () => {
    const directory = join(folder, "broken");
    const file = join(directory, "authority", "ca.pem");
    expect((await rejection(readTrustAnchor({ directory }))).code).to.equal(
      "ERR_CERT_AUTHORITY_MISSING",
    );
    mkdirSync(join(directory, "authority"), { recursive: true });
    writeFileSync(file, "no certificate");
    expect((await rejection(readTrustAnchor({ directory }))).code).to.equal(
      "ERR_CERT_AUTHORITY_INVALID",
    );
  });
});
