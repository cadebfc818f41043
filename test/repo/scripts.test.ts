import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { describe, it } from "mocha";
import { repositoryRoot } from "../support/repository.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const run = promisify(execFile);
const scriptUrl = (name: string): string =>
  pathToFileURL(join(repositoryRoot, "scripts", name)).href;

const { satisfiesRange } = (await import(scriptUrl("node-range.js"))) as {
  satisfiesRange: (version: string, range: string) => boolean;
};
const { removeStaleOutputs } = (await import(scriptUrl("stale-outputs.js"))) as {
  removeStaleOutputs: (outputs: string, sources: string) => string[];
};

describe("satisfiesRange()", () => {
  const range = "^20.19.0 || >=22.12.0";
  for (const [version, expected] of [
    ["20.18.9", false],
    ["20.19.0", true],
    ["20.20.2", true],
    ["21.7.3", false],
    ["22.11.0", false],
    ["22.12.0", true],
    ["26.0.0-nightly20260101", true],
  ] as const) {
    it(`${expected ? "accepts" : "refuses"} Node ${version} for ${range}`, () => {
      expect(satisfiesRange(version, range)).to.equal(expected);
    });
  }

  it("refuses a range in a form it cannot read", () => {
    expect(() => satisfiesRange("22.12.0", "22.x")).to.throw(SyntaxError, /"22.x"/);
  });
});

describe("removeStaleOutputs()", () => {
  const folder = tempDirectory();

  it("deletes compiled files whose source is gone, and nothing else", () => {
    const [outputs, sources] = [join(folder, "dist"), join(folder, "src")];
    mkdirSync(join(outputs, "acme"), { recursive: true });
    mkdirSync(sources);
    writeFileSync(join(sources, "kept.ts"), "");
    const kept = ["kept.js", "kept.d.ts", "kept.js.map", ".tsbuildinfo"];
    const gone = [join("acme", "gone.d.ts.map"), "gone.d.ts", "gone.js"];
    for (const file of [...kept, ...gone]) writeFileSync(join(outputs, file), "");

    expect(removeStaleOutputs(outputs, sources).toSorted()).to.deep.equal(gone.toSorted());
    for (const file of kept) expect(existsSync(join(outputs, file)), file).to.equal(true);
    for (const file of gone) expect(existsSync(join(outputs, file)), file).to.equal(false);
  });
});

describe("withLock()", () => {
  const folder = tempDirectory();

  it("lets several processes at once do the task one after the other", async () => {
    const [lock, counter] = [join(folder, "lock"), join(folder, "counter")];
    writeFileSync(counter, "0");
    const increment = `
      import { readFileSync, writeFileSync } from "node:fs";
      import { withLock } from ${JSON.stringify(scriptUrl("setup-lock.js"))};
      const [lock, counter] = process.argv.slice(1);
      for (let round = 0; round < 50; round++) {
        withLock(lock, () => {}, () => {
          writeFileSync(counter, String(Number(readFileSync(counter, "utf8")) + 1));
        });
      }`;
    await Promise.all(
      Array.from({ length: 3 }, () =>
        run(process.execPath, ["--input-type=module", "--eval", increment, lock, counter]),
      ),
    );
    expect(readFileSync(counter, "utf8")).to.equal("150");
    expect(existsSync(lock)).to.equal(false);
  });

  it("takes over the lock of a process that no longer runs", async () => {
    const dead = spawn(process.execPath, ["--version"], { stdio: "ignore" });
    await once(dead, "exit");
    const lock = join(folder, "stale-lock");
    writeFileSync(lock, String(dead.pid));
    const { withLock } = (await import(scriptUrl("setup-lock.js"))) as {
      withLock: (file: string, onWait: () => void, task: () => string) => string;
    };
    expect(
      withLock(
        lock,
        () => {},
        () => readFileSync(lock, "utf8"),
      ),
    ).to.equal(String(process.pid));
    expect(existsSync(lock)).to.equal(false);
  });
});

describe("npm test", () => {
  const folder = tempDirectory();
  const runTests = `
    import { runTests } from ${JSON.stringify(scriptUrl("run-tests.js"))};
    process.exitCode = await runTests(process.argv.slice(1));`;
  const npmTest = async (
    file: string,
    source: string,
  ): Promise<{ code: number; stdout: string }> => {
    writeFileSync(join(folder, file), source);
    const child = spawn(
      process.execPath,
      [
        "--input-type=module",
        "--eval",
        runTests,
        "--",
        "--require",
        join(folder, file),
        "test/repo/none",
      ],
      { stdio: ["ignore", "pipe", "ignore"] },
    );
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
    const [code] = (await once(child, "close")) as [number];
    return { code, stdout };
  };

  it("fails when a test ends the process before the run is over", async () => {
    const { code, stdout } = await npmTest("exit.cjs", "process.exit(0);");
    expect(code).to.equal(1);
    expect(stdout).to.not.match(/passed/);
  });

  it("fails when a test file cannot be loaded", async () => {
    const { code, stdout } = await npmTest("crash.cjs", "throw new Error('broken');");
    expect(code).to.not.equal(0);
    expect(stdout).to.not.match(/passed/);
  });
});
