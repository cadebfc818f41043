import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { describe, it } from "mocha";
import { type Finished, runHauberk } from "../support/hauberk-process.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const SOUND =
  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; report-uri /r; report-to r";

describe("hauberk csp lint", () => {
  const folder = tempDirectory();
  const lint = (...args: string[]): Promise<Finished> =>
    runHauberk(["csp", "lint", ...args], { cwd: folder });

  it("lists severity, reason and fix of a policy, and ends with 1 over a grave one", async () => {
    const { code, stdout } = await lint("default-src 'self'; script-src *");
    expect(code).to.equal(1);
    expect(stdout).to.match(
      /^Content-Security-Policy\n {2}high +script-src \* \(script-wildcard\)\n/,
    );
    expect(stdout).to.include("fix: name hosts, or use nonces");
    expect(stdout).to.match(/\d+ high, .*\n$/);
  });

  it("ends with 0 when nothing is as grave as --fail-on", async () => {
    expect((await lint(SOUND)).code).to.equal(0);
    expect((await lint(SOUND, "--fail-on", "info")).code).to.equal(1);
    expect((await lint("script-src *", "--fail-on", "never")).code).to.equal(0);
  });

  it("reads a policy from a file, over several lines", async () => {
    writeFileSync(join(folder, "policy.txt"), "default-src 'self';\n  frame-ancestors *\n");
    const { stdout } = await lint("policy.txt");
    expect(stdout).to.include("frame-ancestors * (frame-wildcard)");
  });

  it("reads the policies out of a saved response head", async () => {
    const head = `HTTP/2 200\nContent-Security-Policy: ${SOUND}\ncontent-security-policy-report-only: script-src *\n`;
    writeFileSync(join(folder, "head.txt"), head);
    const { stdout } = await lint("head.txt");
    expect(stdout).to.match(/^Content-Security-Policy\n/);
    expect(stdout).to.match(/\nContent-Security-Policy-Report-Only\n {2}high/);
  });

  it("asks a site", async () => {
    const server = createServer((request, response) => {
      if (request.url === "/policy") {
        response.setHeader("content-security-policy", "script-src 'unsafe-inline'");
      }
      response.end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const found = await lint(`${site}/policy`);
      expect(found.stdout).to.include("script-unsafe-inline");
      const none = await lint(`${site}/none`);
      expect(none).to.include({
        code: 1,
        stdout: "No Content-Security-Policy: every script runs\n",
      });
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  it("says in words what the policy allows with --describe", async () => {
    const { stdout } = await lint(SOUND, "--describe");
    expect(stdout).to.include("  Images load from nowhere.\n");
  });

  it("prints JSON with --json", async () => {
    const { stdout } = await lint("script-src *", "--json");
    const [policy] = JSON.parse(stdout) as { findings: { rule: string }[] }[];
    expect(policy?.findings[0]?.rule).to.equal("script-wildcard");
  });

  it("shows control characters of a policy as text", async () => {
    const { stdout } = await lint("script-src \u001b[31m*");
    expect(stdout).to.not.include("\u001b");
    expect(stdout).to.include("\\u{1b}");
  });

  it("ends with 2 when it is called wrongly", async () => {
    for (const [args, line] of [
      [[], "csp lint takes one policy"],
      [["missing.txt"], '"missing.txt" is no address, no file, and no policy'],
      [[SOUND, "--fail-on", "hi"], "did you mean high?"],
    ] as const) {
      const { code, stderr } = await lint(...args);
      expect(code).to.equal(2);
      expect(stderr).to.include(line);
    }
    const { code, stderr } = await runHauberk(["csp", "lnit"], { cwd: folder });
    expect({ code, stderr }).to.deep.equal({
      code: 2,
      stderr: 'hauberk: unknown command csp "lnit"; did you mean "csp lint"?\n',
    });
  });

  it("ends with 1 when the site cannot be reached", async () => {
    const { code, stderr } = await lint("http://127.0.0.1:1/");
    expect(code).to.equal(1);
    expect(stderr).to.match(/cannot read http:\/\/127\.0\.0\.1:1\//);
  });
});
