import { spawn } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  devCertificate,
  type DevCertificateOptions,
  loadAuthority,
  openAuthority,
  rotateAuthority,
} from "@hauberk/cert";
import { expect } from "chai";
import { describe, it } from "mocha";
import { IS_THOROUGH, requireThorough } from "../support/external.ts";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";

/** Calls a function of the package and kills itself (as kill -9 does) instead of file operation KILL_AT. */
const PROGRAM = `
  import fs from "node:fs/promises";
  import { syncBuiltinESMExports } from "node:module";
  const handle = await fs.open(process.execPath);
  const handles = Object.getPrototypeOf(handle);
  await handle.close();
  let operation = 0;
  const count = (target, names) => {
    for (const name of names) {
      const original = target[name];
      target[name] = function (...args) {
        operation += 1;
        if (operation === Number(process.env.KILL_AT)) {
          process.kill(process.pid, "SIGKILL");
          for (;;);
        }
        return original.apply(this, args);
      };
    }
  };
  count(fs, ["open", "mkdir", "rename", "rm", "link", "symlink", "writeFile", "chmod"]);
  count(handles, ["writeFile", "chmod", "sync"]);
  syncBuiltinESMExports();
  const cert = await import(${JSON.stringify(import.meta.resolve("@hauberk/cert"))});
  const [name, args] = process.argv.slice(1);
  await cert[name](...JSON.parse(args));
`;

/** Every operation where every test runs in full, every third one otherwise. */
const STRIDE = IS_THOROUGH ? 1 : 3;
const NAMES = ["app.test"];
const PASSPHRASE = "correct horse";

interface Place {
  readonly home: string;
  readonly directory: string;
  /** Of the CA. */
  readonly passphrase?: string;
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

describe("a process killed at any of its file operations", () => {
  const root = tempDirectory();

  it("leaves no half of a CA and no certificate without its key when it starts from nothing", async function () {
    this.timeout(60_000);
    const kills = await killAtEveryOperation("new", async (place, kill) => {
      const isKilled = await kill("devCertificate", NAMES, leafOptions(place, { force: true }));
      await expectAuthority(place);
      expectPairIfAny(leafFiles(place));
      return isKilled;
    });
    expect(kills).to.be.within(15, 60);
  });

  for (const [label, key] of [
    ["key is of another kind", "p384"],
    ["certificate only is forced anew", "p256"],
  ] as const) {
    it(`leaves the old pair or the new one when the ${label}`, async function () {
      this.timeout(60_000);
      const kills = await killAtEveryOperation(`old-${key}`, async (place, kill) => {
        const old = await devCertificate(NAMES, leafOptions(place, { key }));
        const isKilled = await kill(
          "devCertificate",
          NAMES,
          leafOptions(place, { key: "p256", force: true }),
        );
        expectOldOrNew(leafFiles(place), old);
        return isKilled;
      });
      expect(kills).to.be.within(10, 60);
    });
  }

  it("leaves the old CA or the new one, and the old one in any case, when it rotates", async function () {
    this.timeout(60_000);
    await killRotations("rotate", undefined);
  });

  it("does so with a CA that has a passphrase", async function () {
    this.timeout(300_000);
    requireThorough(this, "a minute");
    await killRotations("sealed", PASSPHRASE);
    await killAtEveryOperation("sealed-new", async (place, kill) => {
      const isKilled = await kill("openAuthority", {
        directory: place.home,
        passphrase: PASSPHRASE,
      });
      await expectAuthority({ ...place, passphrase: PASSPHRASE });
      return isKilled;
    });
  });

  async function killRotations(label: string, passphrase: string | undefined): Promise<void> {
    const kills = await killAtEveryOperation(label, async (bare, kill) => {
      const place = { ...bare, ...(passphrase !== undefined && { passphrase }) };
      const options = authorityOptions(place);
      await openAuthority(options);
      const old = readPair(authorityFiles(place.home));
      const isKilled = await kill("rotateAuthority", options);
      expectOldOrNew(authorityFiles(place.home), old);
      await expectAuthority(place);
      const { previousName } = await rotateAuthority(options);
      expect(previousName).to.match(/^authority\.\d{8}T\d{6}Z$/);
      const kept = readdirSync(place.home).filter((name) => name !== "authority");
      for (const name of kept) expect(name).to.match(/^authority\.\d{8}T\d{6}Z$/);
      const asides = kept.map((name) => readPair(authorityFiles(place.home, name)));
      expect(asides).to.deep.include(old);
      return isKilled;
    });
    expect(kills).to.be.within(20, 90);
  }

  type Kill = (name: string, ...args: readonly object[]) => Promise<boolean>;

  /** Returns the number of the last operation to be killed at; two processes run side by side. */
  async function killAtEveryOperation(
    label: string,
    scenario: (place: Place, kill: Kill) => Promise<boolean>,
  ): Promise<number> {
    const killAndCheck = async (operation: number): Promise<boolean> => {
      const home = join(root, `${label}-home-${operation}`);
      const place = { home, directory: join(root, `${label}-certs-${operation}`) };
      const isKilled = await scenario(place, (...call) => runAndKill(operation, ...call));
      if (existsSync(place.directory)) await expectRecovery(place);
      return isKilled;
    };
    for (let operation = 1; ; operation += 2 * STRIDE) {
      const [first, second] = await Promise.all([
        killAndCheck(operation),
        killAndCheck(operation + STRIDE),
      ]);
      if (!first || !second) return first ? operation : operation - STRIDE;
    }
  }
});

async function runAndKill(
  operation: number,
  name: string,
  ...args: readonly object[]
): Promise<boolean> {
  const program = ["--input-type=module", "--eval", PROGRAM, name, JSON.stringify(args)];
  const child = spawn(process.execPath, program, {
    env: { ...process.env, KILL_AT: String(operation) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (signal === "SIGKILL") resolve(true);
      else if (code === 0) resolve(false);
      else reject(new Error(`Exit code ${String(code)} instead of a kill`));
    });
  });
}

function leafOptions(
  { home, directory }: Place,
  options: DevCertificateOptions,
): DevCertificateOptions {
  return { authorityDirectory: home, directory, ...options };
}

function authorityOptions({ home, passphrase }: Place): { directory: string; passphrase?: string } {
  return { directory: home, ...(passphrase !== undefined && { passphrase }) };
}

interface Files {
  readonly certFile: string;
  readonly keyFile: string;
}

function leafFiles({ directory }: Place): Files {
  return {
    certFile: join(directory, "app.test.pem"),
    keyFile: join(directory, "app.test-key.pem"),
  };
}

function authorityFiles(home: string, name: string = "authority"): Files {
  return { certFile: join(home, name, "ca.pem"), keyFile: join(home, name, "ca-key.pem") };
}

function readPair({ certFile, keyFile }: Files): Pair {
  return { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
}

function expectMatch({ cert, key }: Pair): void {
  const privateKey = createPrivateKey({ key, passphrase: PASSPHRASE });
  expect(new X509Certificate(cert).checkPrivateKey(privateKey)).to.equal(true);
}

function expectPairIfAny(files: Files): void {
  if (existsSync(files.certFile)) expectMatch(readPair(files));
}

function expectOldOrNew(files: Files, old: Pair): void {
  const found = readPair(files);
  expectMatch(found);
  if (found.cert === old.cert) expect(found.key).to.equal(old.key);
}

/** What a crash may leave: a whole CA or none. */
async function expectAuthority(place: Place): Promise<void> {
  const options = authorityOptions(place);
  if (existsSync(join(place.home, "authority"))) {
    await loadAuthority(options);
  } else {
    const error = await rejection(loadAuthority(options));
    expect(error.code).to.equal("ERR_CERT_AUTHORITY_MISSING");
  }
}

async function expectRecovery(place: Place): Promise<void> {
  const { home, directory } = place;
  const options = leafOptions(place, { lockTimeoutMs: 0 });
  await devCertificate(NAMES, options);
  const files = leafFiles(place);
  expectMatch(readPair(files));
  for (const path of Object.values(files)) expect(lstatSync(path).isFile()).to.equal(true);
  await devCertificate(NAMES, { ...options, force: true });
  expect((await devCertificate(NAMES, options)).status).to.equal("reused");
  // Killed between the CA's appearance and the unlocking: nobody takes that lock again.
  expect(readdirSync(home).filter((name) => name !== "authority.lock")).to.deep.equal([
    "authority",
  ]);
  expect(readdirSync(directory).toSorted()).to.deep.equal(["app.test-key.pem", "app.test.pem"]);
}
