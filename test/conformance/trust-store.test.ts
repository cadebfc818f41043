import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { launchChromium } from "../support/chromium.ts";
import { requireProgram, requireThorough } from "../support/external.ts";
import {
  type Finished,
  runHauberk,
  type Running,
  startHauberk,
} from "../support/hauberk-process.ts";
import { repositoryRoot } from "../support/repository.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const BUNDLE = "/etc/ssl/certs/ca-certificates.crt";
const ANCHORS = "/usr/local/share/ca-certificates";

const execute = promisify(execFile);

describe("hauberk ca on this machine", function () {
  this.timeout(60_000);
  const home = tempDirectory();
  const env = { HOME: home, HAUBERK_HOME: join(home, "hauberk"), XDG_DATA_HOME: "" };
  const stores = ["--store", "system", "--store", "nss"];
  const ca = (...args: string[]): Promise<Finished> =>
    runHauberk(["ca", ...args], { cwd: repositoryRoot, env });
  let server: Running | undefined;
  let url = "";
  let curl = "";
  let chromium = "";
  let bundle = Buffer.alloc(0);

  before(async function () {
    requireThorough(this, "a minute");
    curl = requireProgram(this, "curl");
    chromium = requireProgram(this, "chromium");
    requireProgram(this, "certutil");
    const isDebianRoot = process.getuid?.() === 0 && existsSync(BUNDLE) && existsSync(ANCHORS);
    if (!isDebianRoot) this.skip();
    // Settles what the image left undone, so that the comparison afterwards is about the CA alone.
    await execute("/usr/sbin/update-ca-certificates");
    bundle = readFileSync(BUNDLE);
    const args = ["serve", "examples/site", "--port", "0", "--http-port", "off"];
    server = startHauberk(args, { cwd: repositoryRoot, env });
    [url = ""] = await server.waitFor(/https:\/\/localhost:\d+\//);
  });

  after(async () => {
    server?.child.kill("SIGTERM");
    await server?.finished;
    if (bundle.length > 0) await ca("uninstall");
  });

  /** Resolves with the exit code of curl, called with nothing but the address. */
  async function visitWithCurl(): Promise<number> {
    const bare = { PATH: process.env["PATH"], HOME: home };
    return execute(curl, ["--silent", url], { env: bare }).then(
      () => 0,
      (error: { code: number }) => error.code,
    );
  }

  /** Resolves with the title of the page, or the reason why Chromium does not show it. */
  async function visitWithChromium(): Promise<unknown> {
    const browser = launchChromium(chromium, home);
    try {
      const page = await browser.openPage();
      await page.visit(url);
      return await page.evaluate("document.querySelector('h1') !== null");
    } catch (error) {
      return error instanceof Error ? error.message : error;
    } finally {
      await browser.close();
    }
  }

  it("is trusted by nothing before it is installed", async () => {
    expect(await visitWithCurl()).to.equal(60);
    expect(await visitWithChromium()).to.include("ERR_CERT_AUTHORITY_INVALID");
  });

  it("is trusted by curl and Node.js in a shell that took the variables", async () => {
    const { stdout } = await ca("env", "--shell", "sh");
    const node = `"${process.execPath}" -e 'fetch(process.argv[1]).then(({ status }) => console.log(status))'`;
    const script = `eval "$1"; "$2" --silent --output /dev/null "$3" && ${node} "$3"`;
    const bare = { PATH: process.env["PATH"], HOME: home };
    const words = ["-c", script, "sh", stdout, curl, url];
    expect((await execute("/bin/sh", words, { env: bare })).stdout).to.equal("200\n");
  });

  it("is trusted by curl and a fresh Chromium after install", async () => {
    const { code, stdout, stderr } = await ca("install", ...stores);
    expect(code, stdout + stderr).to.equal(0);
    expect(await visitWithCurl()).to.equal(0);
    expect(await visitWithChromium()).to.equal(true);
  });

  it("changes nothing when it is installed again", async () => {
    const files = readdirSync(ANCHORS);
    const { code, stdout } = await ca("install", ...stores);
    expect(code).to.equal(0);
    expect(stdout.match(/trusted already/g)?.length).to.equal(2);
    expect(readdirSync(ANCHORS)).to.deep.equal(files);
  });

  it("is still trusted after a second CA came and went", async () => {
    await ca("install", "--ca", "second", "--store", "system");
    await ca("uninstall", "--ca", "second", "--store", "system");
    expect(await visitWithCurl()).to.equal(0);
  });

  it("is refused by both after uninstall, which leaves the machine as it was", async () => {
    const { code, stdout, stderr } = await ca("uninstall");
    expect(code, stdout + stderr).to.equal(0);
    expect(await visitWithCurl()).to.equal(60);
    expect(await visitWithChromium()).to.include("ERR_CERT_AUTHORITY_INVALID");
    expect(readFileSync(BUNDLE).equals(bundle)).to.equal(true);
    expect(readdirSync("/etc/ssl/certs").filter((name) => name.includes("hauberk"))).to.deep.equal(
      [],
    );
  });

  it("changes nothing when it is uninstalled again", async () => {
    const { code, stdout } = await ca("uninstall");
    expect(code).to.equal(0);
    expect(stdout).to.match(/system store .*: was not trusted/);
    expect(stdout).to.match(/Chromium .*: was not trusted/);
  });
});
