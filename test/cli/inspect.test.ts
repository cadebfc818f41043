import { spawnSync } from "node:child_process";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createServer } from "node:tls";
import { createAuthority, issueCertificate, toPkcs12, type IssuedCertificate } from "@hauberk/cert";
import { expect } from "chai";
import { before, describe, it } from "mocha";
import { makeChain } from "../support/certificate-chain.ts";
import { newKey } from "../support/certificate-maker.ts";
import { type Finished, PROGRAM, runHauberk } from "../support/hauberk-process.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { listenForTest } from "../support/tls-handshake.ts";

const DAY_MS = 86_400_000;

describe("hauberk inspect", () => {
  const folder = tempDirectory();
  let pair: IssuedCertificate;
  before(async () => {
    pair = await issueCertificate(await createAuthority(), { names: ["app.test", "127.0.0.1"] });
    write("app.pem", pair.cert);
    write("ca.pem", pair.ca);
  });
  const write = (name: string, content: string | Buffer): void => {
    writeFileSync(join(folder, name), content);
  };
  const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Finished> =>
    runHauberk(["inspect", ...args], { cwd: folder, env });

  it("shows a file as text", async () => {
    const { code, stdout } = await run(["app.pem"]);
    expect(code).to.equal(0);
    expect(stdout).to.match(/^app\.pem: PEM, 1 entry$/m);
    expect(stdout).to.match(/^ {4}names +app\.test, 127\.0\.0\.1$/m);
    expect(stdout).to.match(/^ {4}valid +\d{4}-\d\d-\d\d \d\d:\d\d to .* UTC, 89 days left$/m);
    expect(stdout).to.match(/^ {4}usage +digitalSignature; serverAuth$/m);
    expect(stdout).to.match(/^Nothing wrong\. Worth knowing:$/m);
  });

  it("shows the same as JSON", async () => {
    const { stdout } = await run(["app.pem", "--json"]);
    const shown = JSON.parse(stdout) as {
      entries: { certificate: { names: string[]; notAfter: string } }[];
    };
    expect(shown.entries[0]?.certificate.names).to.deep.equal(["app.test", "127.0.0.1"]);
    expect(shown.entries[0]?.certificate.notAfter).to.equal(pair.notAfter.toISOString());
  });

  it("reads standard input", () => {
    const { stdout, status } = spawnSync(process.execPath, [PROGRAM, "inspect", "-"], {
      input: pair.cert,
      encoding: "utf8",
    });
    expect(status).to.equal(0);
    expect(stdout).to.match(/^-: PEM, 1 entry$/m);
  });

  it("opens PKCS#12 with the password of the environment, and needs it", async () => {
    const { pkcs12, password } = await toPkcs12(pair);
    write("app.p12", pkcs12);
    const { stdout } = await run(["app.p12"], { HAUBERK_PASSWORD: password });
    expect(stdout).to.match(/^app\.p12: PKCS#12, 3 entries$/m);
    const locked = await run(["app.p12"]);
    expect(locked.code).to.equal(1);
    expect(locked.stderr).to.equal(
      "hauberk: Cannot open the PKCS#12 file: it needs a password (ERR_CERT_PASSWORD)\n",
    );
  });

  it("notices a key beside the file that belongs to another certificate", async () => {
    write("other.pem", pair.cert);
    write("other-key.pem", newKey().export({ type: "pkcs8", format: "pem" }).toString());
    const { stdout } = await run(["other.pem"]);
    expect(stdout).to.match(
      /^ {2}error +number 1: the key beside it is not the key of the first certificate$/m,
    );
  });

  it("looks at a server and judges it by the CA given", async () => {
    const server = createServer({ key: pair.key, cert: pair.cert }, (socket) => socket.end());
    const port = await listenForTest(server);
    const known = await run([`127.0.0.1:${port}`, "--ca", "ca.pem", "--server-name", "app.test"]);
    expect(known.stdout).to.match(/: TLSv1\.3, TLS_\w+, asked for app\.test, 1 entry$/m);
    expect(known.stdout).to.include("Nothing wrong.");
    const unknown = await run([`https://127.0.0.1:${port}/path`]);
    expect(unknown.stdout).to.match(/^ {2}error +number 1: its issuer .* nor trusted$/m);
  });

  it("is silent and ends with 0 while nothing ends within --expires-in, else with 1", async () => {
    const leaf = makeChain([{}, { notAfter: new Date(Date.now() + 10 * DAY_MS) }]).leaf;
    write("ten-days.pem", leaf);
    const [good, bad] = await Promise.all([
      run(["ten-days.pem", "--expires-in", "9d"]),
      run(["ten-days.pem", "--expires-in", "2w"]),
    ]);
    expect(good).to.deep.equal({ code: 0, stdout: "", stderr: "" });
    expect(bad.code).to.equal(1);
    expect(bad.stdout).to.equal("");
    expect(bad.stderr).to.match(/^hauberk: ten-days\.pem: "CN=app\.test" ends on .* UTC\n$/);
  });

  it("makes control characters in names visible", async () => {
    const subject = [["2.5.4.3", "\u001b[31mred\u202e"]] as const;
    write("evil.pem", makeChain([{}, { subject }]).leaf);
    const { stdout } = await run(["evil.pem"]);
    expect(stdout).to.not.include("\u001b").and.not.include("\u202e");
    expect(stdout).to.include("\\u{202e}");
  });

  it("refuses a file of 100 MB at once, and says what else it cannot do", async () => {
    write("huge.pem", pair.cert);
    truncateSync(join(folder, "huge.pem"), 100_000_000);
    for (const [args, wanted, message] of [
      [["huge.pem"], 1, 'cannot read "huge.pem": it has more than 4194304 bytes'],
      [["nothing.pem"], 1, 'cannot read "nothing.pem": ENOENT'],
      [["."], 1, 'cannot read ".": EISDIR'],
      [["127.0.0.1:1"], 1, "ECONNREFUSED"],
      [[], 2, "inspect takes one file, host:port or -"],
      [["app.pem", "ca.pem"], 2, "inspect takes one file, host:port or -"],
      [["app.pem", "--ca", "ca.pem"], 2, "--ca and --server-name are for servers"],
      [["app.pem", "--expires-in", "soon"], 2, '--expires-in is "soon"; it takes a number'],
    ] as const) {
      const { code, stderr } = await run(args);
      expect(stderr, args.join(" ")).to.include(message);
      expect(code, args.join(" ")).to.equal(wanted);
    }
  }).timeout(15_000);
});
