import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { openAuthority } from "@hauberk/cert";
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
});
