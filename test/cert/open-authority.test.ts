import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { openAuthority, widenNames } from "@hauberk/cert";
import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";

describe("openAuthority()", () => {
  const root = tempDirectory();
  let directory: string;
  let lockFile: string;
  let round = 0;

  beforeEach(() => {
    round += 1;
    directory = join(root, String(round));
    lockFile = join(directory, "authority.lock");
  });

  it("creates a CA in a folder that does not exist and loads it the next time", async () => {
    const first = await openAuthority({ directory: join(directory, "deep", "down") });
    expect(first.created).to.equal(true);
    const second = await openAuthority({ directory: join(directory, "deep", "down") });
    expect(second.created).to.equal(false);
    expect(second.certificate).to.equal(first.certificate);
  });

  it("leaves the CA folder behind and nothing else", async () => {
    await openAuthority({ directory });
    expect(readdirSync(directory)).to.deep.equal(["authority"]);
    expect(readdirSync(join(directory, "authority")).toSorted()).to.deep.equal([
      "ca-key.pem",
      "ca.pem",
    ]);
  });

  it("creates with the kind of key asked for, and keeps the key of one that exists", async () => {
    expect((await openAuthority({ directory, key: "ed25519" })).key).to.equal("ed25519");
    expect((await openAuthority({ directory, key: "p384" })).key).to.equal("ed25519");
  });

  it("uses a folder that is there already, and an empty one of the CA's own name", async () => {
    mkdirSync(join(directory, "authority"), { recursive: true });
    writeFileSync(join(directory, "notes.txt"), "mine");
    expect((await openAuthority({ directory })).created).to.equal(true);
    expect(readFileSync(join(directory, "notes.txt"), "utf8")).to.equal("mine");
  });

  it("does not touch a folder of the CA's name that holds other files", async () => {
    mkdirSync(join(directory, "authority"), { recursive: true });
    writeFileSync(join(directory, "authority", "mine.txt"), "mine");
    const error = await rejection(openAuthority({ directory }));
    expect(error.code).to.equal("ERR_CERT_AUTHORITY_MISSING");
    expect(readdirSync(directory)).to.deep.equal(["authority"]);
    expect(readdirSync(join(directory, "authority"))).to.deep.equal(["mine.txt"]);
  });

  it("creates one CA when called many times at once", async () => {
    const opened = await Promise.all(
      Array.from({ length: 12 }, () => openAuthority({ directory, key: "p384" })),
    );
    expect(opened.filter(({ created }) => created)).to.have.lengthOf(1);
    expect(new Set(opened.map(({ fingerprint256 }) => fingerprint256)).size).to.equal(1);
  });

  it("clears away what a killed process left behind", async () => {
    mkdirSync(join(directory, ".authority.0123456789abcdef.tmp"), { recursive: true });
    writeFileSync(join(directory, ".authority.0123456789abcdef.tmp", "ca-key.pem"), "half");
    await openAuthority({ directory });
    expect(readdirSync(directory)).to.deep.equal(["authority"]);
  });

  it("takes over the lock of a process that died", async () => {
    const { pid } = spawnSync(process.execPath, ["-e", "0"]);
    mkdirSync(directory);
    writeFileSync(lockFile, JSON.stringify({ pid, host: hostname(), token: "00" }));
    const { created } = await openAuthority({ directory, lockTimeoutMs: 0 });
    expect(created).to.equal(true);
    expect(existsSync(lockFile)).to.equal(false);
  });

  it("takes over a lock that is more than a minute old, whoever holds it", async () => {
    for (const content of [
      "",
      JSON.stringify({ pid: process.pid, host: "elsewhere", token: "00" }),
    ]) {
      const place = join(directory, String(content.length));
      mkdirSync(place, { recursive: true });
      const lock = join(place, "authority.lock");
      writeFileSync(lock, content);
      const old = Date.now() / 1000 - 61;
      utimesSync(lock, old, old);
      expect((await openAuthority({ directory: place, lockTimeoutMs: 0 })).created).to.equal(true);
    }
  });

  it("reports a lock that a living process holds, with its number and the file", async () => {
    mkdirSync(directory);
    writeFileSync(lockFile, JSON.stringify({ pid: process.pid, host: hostname(), token: "00" }));
    const error = await rejection(openAuthority({ directory, lockTimeoutMs: 40 }));
    expect(error.code).to.equal("ERR_CERT_LOCKED");
    expect(error.message).to.include(lockFile).and.to.include(`process ${process.pid} on`);
    expect(readdirSync(directory)).to.deep.equal(["authority.lock"]);
  });

  it("stops waiting for a lock when told to", async () => {
    mkdirSync(directory);
    writeFileSync(lockFile, "held by somebody");
    const controller = new AbortController();
    const opening = rejection(openAuthority({ directory, signal: controller.signal }));
    setImmediate(() => {
      controller.abort(new Error("enough"));
    });
    const error = await opening;
    expect(error.message).to.equal("enough");
    expect(readFileSync(lockFile, "utf8")).to.equal("held by somebody");
  });

  it("creates nothing when told to stop before it starts", async () => {
    const error = await rejection(
      openAuthority({ directory, signal: AbortSignal.abort(new Error("never")) }),
    );
    expect(error.message).to.equal("never");
    expect(existsSync(directory)).to.equal(false);
  });

  it("reports what the system says when the folder cannot be made", async () => {
    writeFileSync(directory, "a file");
    const error = await rejection(openAuthority({ directory: join(directory, "below") }));
    expect(error.code).to.equal("ERR_CERT_STORAGE");
    expect(error.message).to.include("ENOTDIR");
  });

  it("refuses a wait outside its bounds", async () => {
    const error = await rejection(openAuthority({ directory, lockTimeoutMs: -1 }));
    expect(error).to.be.an.instanceOf(RangeError);
    expect(error.message).to.include("lockTimeoutMs");
  });

  it("keeps several CAs by name, each in its folder", async () => {
    const first = await openAuthority({ directory });
    const work = await openAuthority({ directory, name: "work" });
    expect([first.name, work.name]).to.deep.equal(["authority", "work"]);
    expect(work.certificateFile).to.equal(join(directory, "work", "ca.pem"));
    expect(work.fingerprint256).not.to.equal(first.fingerprint256);
    expect((await openAuthority({ directory, name: "work" })).created).to.equal(false);
    expect(readdirSync(directory).toSorted()).to.deep.equal(["authority", "work"]);
  });

  it("makes no CA under the name of one that was put aside", async () => {
    const name = "authority.20261122T100000Z";
    const error = await rejection(openAuthority({ directory, name }));
    expect(error.code).to.equal("ERR_CERT_AUTHORITY_MISSING");
    expect(existsSync(directory)).to.equal(false);
  });

  it("makes a CA for other names, and takes one that permits at least as much", async () => {
    const wide = widenNames(["example.com", "203.0.113.0/24"]);
    const made = await openAuthority({ directory, nameConstraints: wide });
    expect(made.nameConstraints?.permitted).to.deep.include(wide);
    for (const nameConstraints of [
      wide,
      widenNames(["www.example.com", "203.0.113.128/25"]),
      { dns: ["app.test"], ip: ["10.1.0.0/16"] },
      undefined,
    ]) {
      expect((await openAuthority({ directory, nameConstraints })).created).to.equal(false);
    }
    await openAuthority({ directory, name: "free", nameConstraints: false });
    await openAuthority({ directory, name: "free", nameConstraints: wide });
  });

  it("refuses to widen a CA that is there, and names what it may not sign", async () => {
    await openAuthority({ directory, nameConstraints: widenNames(["203.0.113.0/24"]) });
    for (const [nameConstraints, refused] of [
      [widenNames(["example.com"]), "it may not sign example.com,"],
      [widenNames(["203.0.112.0/23"]), "it may not sign 203.0.112.0/23,"],
      [{ dns: ["test"], ip: ["0.0.0.0/0", "::/0"] }, "it may not sign 0.0.0.0/0, ::/0,"],
      [false, "it may not sign every name,"],
    ] as const) {
      const error = await rejection(openAuthority({ directory, nameConstraints }));
      expect(error.code).to.equal("ERR_CERT_NAME_NOT_PERMITTED");
      expect(error.message).to.include(refused);
    }
  });

  it("refuses malformed constraints also for a CA that is there", async () => {
    await openAuthority({ directory });
    const nameConstraints = { dns: [], ip: ["10.0.0.0/8"] };
    const error = await rejection(openAuthority({ directory, nameConstraints }));
    expect(error.message).to.include("nameConstraints.dns must list at least one entry");
  });

  it("makes plain files of a CA that was killed in the middle of a rotation", async () => {
    const { certificateFile, keyFile, fingerprint256 } = await openAuthority({ directory });
    const folder = join(directory, "authority");
    for (const file of [certificateFile, keyFile]) leaveLinked(folder, file, certificateFile);
    const opened = await openAuthority({ directory });
    expect(opened.fingerprint256).to.equal(fingerprint256);
    expect(readdirSync(folder).toSorted()).to.deep.equal(["ca-key.pem", "ca.pem"]);
    for (const file of [certificateFile, keyFile]) {
      expect(lstatSync(file).isFile()).to.equal(true);
    }
  });
});

/** Puts a file behind the links of a pair that is being replaced. */
function leaveLinked(folder: string, file: string, certFile: string): void {
  const stem = `.${basename(certFile)}`;
  const state = join(folder, `${stem}.00.tmp`);
  const link = join(folder, `${stem}.01.tmp`);
  const inner = file === certFile ? "cert.pem" : "key.pem";
  mkdirSync(state, { recursive: true, mode: 0o700 });
  renameSync(file, join(state, inner));
  if (!existsSync(link)) symlinkSync(basename(state), link);
  symlinkSync(join(basename(link), inner), file);
}
