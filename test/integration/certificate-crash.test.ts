import { spawn } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { devCertificate, loadAuthority } from "@hauberk/cert";
import { expect } from "chai";
import { describe, it } from "mocha";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";

/** Runs devCertificate and kills itself (as kill -9 does) instead of its file operation number KILL_AT. */
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
  count(fs, ["open", "mkdir", "rename", "rm", "link", "writeFile", "chmod"]);
  count(handles, ["writeFile", "chmod", "sync"]);
  syncBuiltinESMExports();
  const { devCertificate } = await import(${JSON.stringify(import.meta.resolve("@hauberk/cert"))});
  const [home, directory, key] = process.argv.slice(1);
  await devCertificate(["app.test"], { authorityDirectory: home, directory, key, force: true });
`;

interface Place {
  readonly home: string;
  readonly directory: string;
}

describe("a process killed at any of its file operations", () => {
  const root = tempDirectory();

  it("leaves no half of a CA and no certificate without its key when it starts from nothing", async function () {
    this.timeout(60_000);
    const kills = await killAtEveryOperation("new", () => Promise.resolve());
    expect(kills).to.be.within(15, 60);
  });

  it("leaves the old pair, the new pair or a key alone when it replaces a pair by one of another kind", async function () {
    this.timeout(60_000);
    const kills = await killAtEveryOperation("old", async ({ home, directory }) => {
      await devCertificate(["app.test"], { authorityDirectory: home, directory, key: "p384" });
    });
    expect(kills).to.be.within(10, 60);
  });

  /** Returns how many operations there were to be killed at; two processes run side by side. */
  async function killAtEveryOperation(
    label: string,
    prepare: (place: Place) => Promise<void>,
  ): Promise<number> {
    const killAndCheck = async (operation: number): Promise<boolean> => {
      const home = join(root, `${label}-home-${operation}`);
      const place = { home, directory: join(root, `${label}-certs-${operation}`) };
      await prepare(place);
      const isKilled = await runAndKill(place, operation);
      await expectWhole(place);
      await expectRecovery(place);
      return isKilled;
    };
    for (let operation = 1; ; operation += 2) {
      const [first, second] = await Promise.all([
        killAndCheck(operation),
        killAndCheck(operation + 1),
      ]);
      if (!first || !second) return first ? operation : operation - 1;
    }
  }
});

async function runAndKill({ home, directory }: Place, operation: number): Promise<boolean> {
  const args = ["--input-type=module", "--eval", PROGRAM, home, directory, "p256"];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, KILL_AT: String(operation) },
    stdio: "ignore",
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

/** What a crash may leave: a whole CA or none, and a certificate only beside its own key. */
async function expectWhole({ home, directory }: Place): Promise<void> {
  if (existsSync(join(home, "authority"))) await loadAuthority({ directory: home });
  else {
    const error = await rejection(loadAuthority({ directory: home }));
    expect(error.code).to.equal("ERR_CERT_AUTHORITY_MISSING");
  }
  const certFile = join(directory, "app.test.pem");
  if (!existsSync(certFile)) return;
  const key = createPrivateKey(readFileSync(join(directory, "app.test-key.pem")));
  expect(new X509Certificate(readFileSync(certFile)).checkPrivateKey(key)).to.equal(true);
}

async function expectRecovery({ home, directory }: Place): Promise<void> {
  const names = ["app.test"];
  const options = { authorityDirectory: home, directory, lockTimeoutMs: 0 };
  await devCertificate(names, { ...options, force: true });
  await expectWhole({ home, directory });
  expect((await devCertificate(names, options)).status).to.equal("reused");
  // Killed between the CA's appearance and the unlocking: nobody takes that lock again.
  expect(readdirSync(home).filter((name) => name !== "authority.lock")).to.deep.equal([
    "authority",
  ]);
  expect(readdirSync(directory).toSorted()).to.deep.equal(["app.test-key.pem", "app.test.pem"]);
}
