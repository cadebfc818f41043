import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { describe, it } from "mocha";
import { type Manifest, readJson, readText, repositoryRoot } from "../support/repository.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const run = promisify(execFile);
const hauberk = join(repositoryRoot, "packages", "cli", "bin", "hauberk.js");

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
    "npx hauberk cert localhost": async () => {
      await run(process.execPath, [hauberk, "cert", "localhost"], {
        cwd: folder,
        env: { ...process.env, HAUBERK_HOME: join(folder, "home") },
      });
      expect(existsSync(join(folder, "certs-dev", "localhost.pem"))).to.equal(true);
      expect(existsSync(join(folder, "certs-dev", "localhost-key.pem"))).to.equal(true);
    },
  };

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
