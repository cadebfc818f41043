import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { describe, it } from "mocha";
import { type Finished, runHauberk } from "../support/hauberk-process.ts";
import { tempDirectory } from "../support/temp-directory.ts";

describe("hauberk", () => {
  const folder = tempDirectory();
  const run = (...args: string[]): Promise<Finished> =>
    runHauberk(args, { cwd: folder, env: { HAUBERK_HOME: join(folder, "home") } });

  it("prints its version", async () => {
    const manifest = new URL("../../../packages/cli/package.json", import.meta.url);
    const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
    expect(await run("--version")).to.deep.equal({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("prints help that begins with examples, for itself and for each command", async () => {
    for (const [args, example] of [
      [[], "hauberk serve ./public"],
      [["--help"], "hauberk serve ./public"],
      [["help", "cert"], "hauberk cert app.test"],
      [["cert", "--help"], "hauberk cert app.test"],
      [["serve", "-h"], "hauberk serve ./public --cert"],
    ] as const) {
      const { code, stdout } = await run(...args);
      expect(code).to.equal(0);
      expect(stdout.split("\n").slice(0, 5).join("\n")).to.include(example);
    }
  });

  it("ends with 2 and one clear line when it is called wrongly", async () => {
    for (const [args, line] of [
      [["sreve"], 'unknown command "sreve"; did you mean "serve"?'],
      [["constructor"], "unknown command"],
      [["serve", "--prot", "1"], "unknown option --prot; did you mean --port?"],
      [["serve", "--port", "http"], '--port is "http"; it takes a whole number from 0 to 65535'],
      [["serve", "--port", "70000"], '--port is "70000"'],
      [["serve", "--port"], "--port"],
      [["serve", "--preset", "stric"], "did you mean strict?"],
      [["serve", "--tls-profile", "old"], "--tls-profile"],
      [["serve", "--limit", "many"], "--limit"],
      [["serve", "--trusted-proxy", "1.2.3.4/99"], "--trusted-proxy"],
      [["serve", "--cert", "a.pem"], "--key is missing"],
      [["serve", "a", "b"], "serve takes one folder"],
      [["cert", "a..b"], "a..b"],
      [["cert", "--days", "1000"], '--days is "1000"; more than 825'],
      [["cert", "--key", "dsa"], "--key"],
      [["cert", "--verbose=yes"], "--verbose"],
    ] as const) {
      const { code, stderr, stdout } = await run(...args);
      expect(code, args.join(" ")).to.equal(2);
      expect(stderr, args.join(" ")).to.include(line);
      expect(stderr.trimEnd().split("\n").length, stderr).to.equal(1);
      expect(stdout).to.equal("");
    }
  });

  it("ends with 1 when it fails, and shows where only with --verbose", async () => {
    const { code, stderr } = await run("serve", "missing-folder", "--port", "0");
    expect(code).to.equal(1);
    expect(stderr).to.match(/Cannot serve "missing-folder": .*\(ERR_SERVER_ROOT_UNREADABLE\)\n$/);
    expect(stderr).to.not.include("    at ");
    const verbose = await run("serve", "missing-folder", "--port", "0", "--verbose");
    expect(verbose.stderr).to.include("    at ");
    expect(existsSync(join(folder, "certs-dev"))).to.equal(false);
  });
});
