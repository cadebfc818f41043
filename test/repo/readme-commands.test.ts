import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { expect } from "chai";
import { describe, it } from "mocha";
import { type Manifest, readJson, readText, repositoryRoot } from "../support/repository.ts";
import { type Running, startHauberk } from "../support/hauberk-process.ts";
import { tempDirectory } from "../support/temp-directory.ts";

describe("the commands of the README", () => {
  const folder = tempDirectory();

  /** What stands behind each command; a command without an entry fails the first test below. */
  const cases: Readonly<Record<string, () => void | Promise<void>>> = {
    "npm start": () => expectScript("start", "scripts/start.js"),
    "npm test": () => {
      expectScript("test", "scripts/test.js");
      expect(readText(".ci/run")).to.match(/^npm test\b/m);
    },
    "npm run check": () => expectScript("check"),
    "npx hauberk cert app.test '*.app.test' 127.0.0.1 ::1": async () => {
      const { code } = await hauberk("cert", "app.test", "*.app.test", "127.0.0.1", "::1").finished;
      expect(code).to.equal(0);
      expect(existsSync(join(folder, "certs-dev", "app.test+3.pem"))).to.equal(true);
      expect(existsSync(join(folder, "certs-dev", "app.test+3-key.pem"))).to.equal(true);
    },
    "npx hauberk serve ./public": () => expectServing(["./public"], 200),
    "npx hauberk serve ./public --preset strict --tls-profile modern --limit 100/1m": () =>
      expectServing(
        ["./public", "--preset", "strict", "--tls-profile", "modern", "--limit", "100/1m"],
        200,
      ),
    "npx hauberk serve ./public --cert site.pem --key site-key.pem --host :: --port 443 --http-port 80":
      async () => {
        await hauberk("cert", "localhost", "127.0.0.1", "--out", "tls").finished;
        renameSync(join(folder, "tls", "localhost+1.pem"), join(folder, "site.pem"));
        renameSync(join(folder, "tls", "localhost+1-key.pem"), join(folder, "site-key.pem"));
        const pair = ["--cert", "site.pem", "--key", "site-key.pem"];
        await expectServing(["./public", ...pair, "--host", "::"], 200);
      },
    "curl --cacert ~/.local/share/hauberk/authority/ca.pem -sI https://localhost:8443/": () =>
      expectServing(["./public"], 200),
  };

  function hauberk(...args: string[]): Running {
    return startHauberk(args, { cwd: folder, env: { HAUBERK_HOME: join(folder, "home") } });
  }

  /** Serves on free ports instead of those of the README, and asks for the front page. */
  async function expectServing(args: readonly string[], status: number): Promise<void> {
    mkdirSync(join(folder, "public"), { recursive: true });
    writeFileSync(join(folder, "public", "index.html"), "<!doctype html><title>Page</title>");
    const running = hauberk("serve", ...args, "--port", "0", "--http-port", "0");
    const [, port = ""] = await running.waitFor(/https:\/\/\S*:(\d+)\/\n[^]*Ctrl\+C/);
    const ca = readFileSync(join(folder, "home", "authority", "ca.pem"));
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      const request = get(`https://localhost:${port}/`, { ca, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on("error", reject);
    });
    running.child.kill("SIGTERM");
    expect((await running.finished).code).to.equal(0);
    expect(answer).to.equal(status);
  }

  it("each have a case here", () => {
    expect(
      commandsIn(readText("README.md")).filter((command) => !(command in cases)),
    ).to.deep.equal([]);
  });

  for (const [command, prove] of Object.entries(cases)) {
    it(`stand in the README and do what it says: ${command}`, async () => {
      expect(commandsIn(readText("README.md"))).to.include(command);
      await prove();
    });
  }
});

/** Returns the lines of ```sh blocks, and of ```console blocks those after a prompt. */
function commandsIn(markdown: string): string[] {
  return [...markdown.matchAll(/^```(sh|console)\n(.*?)^```$/gms)].flatMap(
    ([, language, block = ""]) =>
      block
        .replaceAll("\\\n", " ")
        .split("\n")
        .filter((line) => language === "sh" || line.startsWith("$ "))
        .map((line) =>
          line
            .replace(/^\$ /, "")
            .replace(/\s+#.*$/, "")
            .trim(),
        )
        .filter((line) => /^(?:npm|npx|node|curl|openssl)\b/.test(line)),
  );
}

function expectScript(name: string, file?: string): void {
  const script = (readJson("package.json") as Manifest).scripts?.[name];
  expect(script).to.be.a("string");
  if (file !== undefined) {
    expect(script).to.equal(`node ${file}`);
    expect(existsSync(join(repositoryRoot, file))).to.equal(true);
  }
}
