import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { describe, it } from "mocha";
import { repositoryRoot } from "../support/repository.ts";
import { tempDirectory } from "../support/temp-directory.ts";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

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
  const npmTest = async (file: string, source: string, ...args: string[]): Promise<Outcome> => {
    writeFileSync(join(folder, file), source);
    const child = spawn(
      process.execPath,
      ["--input-type=module", "--eval", runTests, "--", "test/repo/none", ...args],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close") as Promise<[number]>,
    ]);
    return { code, stdout, stderr };
  };
  const fixture = (file: string): string => join(folder, file);

  it("ends with the counts of mocha, alone on the last line", async () => {
    const source = "it('passes', () => {}); it('is skipped');";
    const { code, stdout } = await npmTest("two.cjs", source, fixture("two.cjs"));
    expect(stdout).to.match(/\n1 passed, 0 failed, 1 skipped\n$/);
    expect(code).to.equal(0);
  });

  it("fails when a test fails", async () => {
    const source = "it('fails', () => { throw new Error('no'); });";
    const { code, stdout } = await npmTest("fails.cjs", source, fixture("fails.cjs"));
    expect(stdout).to.match(/\n0 passed, 1 failed\n$/);
    expect(code).to.equal(1);
  });

  it("fails, instead of hanging, when a test leaves something open", async () => {
    const source = "it('leaks', () => { setInterval(() => {}, 60_000); });";
    const { code, stdout, stderr } = await npmTest(
      "leak.cjs",
      source,
      fixture("leak.cjs"),
      "--reporter-option",
      "lingerMs=20",
    );
    expect(stdout).to.match(/\n1 passed, 0 failed\n$/);
    expect(stderr).to.match(/The tests left open: .*Timeout/);
    expect(code).to.equal(1);
  });

  it("fails when a test ends the process before the run is over", async () => {
    const source = "it('exits', () => { process.exit(0); });";
    const { code, stdout } = await npmTest("exit.cjs", source, fixture("exit.cjs"));
    expect(code).to.equal(1);
    expect(stdout).to.not.match(/passed/);
  });

  it("fails when a test file cannot be loaded", async () => {
    const source = "throw new Error('broken');";
    const { code, stdout } = await npmTest("crash.cjs", source, fixture("crash.cjs"));
    expect(code).to.not.equal(0);
    expect(stdout).to.not.match(/passed/);
  });
});
