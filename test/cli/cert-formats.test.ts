import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { inspectCertificate } from "@hauberk/cert";
import { expect } from "chai";
import { describe, it } from "mocha";
import {
  alternativeNames,
  basicConstraints,
  keyUsage,
  makeRequest,
  newKey,
} from "../support/certificate-maker.ts";
import { pem } from "../support/der-writer.ts";
import { type Finished, runHauberk } from "../support/hauberk-process.ts";
import { tempDirectory } from "../support/temp-directory.ts";

describe("hauberk cert --format and --csr", () => {
  const folder = tempDirectory();
  const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Finished> =>
    runHauberk(["cert", ...args], {
      cwd: folder,
      env: { HAUBERK_HOME: join(folder, "home"), ...env },
    });
  const file = (name: string): string => join(folder, "certs-dev", name);

  it("writes every form and shows the password it made up once", async () => {
    const forms = ["chain", "der", "p12", "jks", "kubernetes", "haproxy"];
    const { code, stdout } = await run([
      "app.test",
      ...forms.flatMap((form) => ["--format", form]),
    ]);
    expect(code).to.equal(0);
    const password = /^ {2}password +(\S{20}) {2}\(shown this once\)$/m.exec(stdout)?.[1];
    for (const name of ["app.test.p12", "app.test.jks"]) {
      expect(statSync(file(name)).mode & 0o777, name).to.equal(0o600);
      createSecureContext({ pfx: readFileSync(file(name)), passphrase: password });
    }
    expect(stdout).to.match(/^ {2}kubernetes +certs-dev\/app\.test-secret\.yaml$/m);
    expect(readFileSync(file("app.test-haproxy.pem"), "utf8")).to.include("PRIVATE KEY");
  });

  it("takes the password from the environment and does not show it", async () => {
    const p12 = ["app.test", "--format", "p12", "--legacy"];
    for (const [args, variable] of [
      [p12, "HAUBERK_PASSWORD"],
      [[...p12, "--password-env", "MINE"], "MINE"],
    ] as const) {
      const { code, stdout, stderr } = await run(args, { [variable]: "geheim-1" });
      expect(code, stderr).to.equal(0);
      expect(stdout + stderr).to.not.include("geheim");
      createSecureContext({ pfx: readFileSync(file("app.test.p12")), passphrase: "geheim-1" });
    }
  });

  it("signs a request and says what it leaves out", async () => {
    const key = newKey();
    const extensions = [alternativeNames("b.test"), basicConstraints(true), keyUsage(0, 5)];
    const request = makeRequest({ key, extensions });
    writeFileSync(join(folder, "b.csr"), pem("NEW CERTIFICATE REQUEST", request));
    const { code, stdout } = await run(["--csr", "b.csr", "--days", "7", "--format", "pem"]);
    expect(code).to.equal(0);
    expect(stdout).to.include("without basicConstraints CA:TRUE, which the request asked for");
    expect(stdout).to.include("without keyUsage keyCertSign, which the request asked for");
    const made = inspectCertificate(readFileSync(file("b.test-csr.pem"), "utf8"));
    expect(made.names).to.deep.equal(["b.test"]);
    expect(made.isAuthority).to.equal(false);
  });

  it("refuses a request with exit code 1, and wrong use with 2, writing nothing", async () => {
    const request = makeRequest({ key: newKey(), extensions: [alternativeNames("google.com")] });
    writeFileSync(join(folder, "google.csr"), request);
    for (const [args, wanted, message] of [
      [["--csr", "google.csr"], 1, "(ERR_CERT_NAME_NOT_PERMITTED)"],
      [["--csr", "b.key"], 1, 'cannot read "b.key": ENOENT'],
      [["--csr", "google.csr", "a.test"], 2, "--csr takes the names from the request"],
      [["--csr", "google.csr", "--key", "p256"], 2, "--csr and --key exclude each other"],
      [["--csr", "google.csr", "--watch"], 2, "--csr and --watch exclude each other"],
      [["a.test", "--format", "pfx"], 2, '--format is "pfx"; it takes pem, chain, der'],
      [["a.test", "--legacy"], 2, "--legacy is for --format p12 and --format jks"],
      [["a.test", "--format", "p12", "--password-env", "NONE"], 2, '"NONE" is not set'],
      [["a.test", "--format", "p12", "--ask-password"], 2, "--ask-password needs a terminal"],
    ] as const) {
      const { code, stderr } = await run(args);
      expect(stderr, args.join(" ")).to.include(message);
      expect(code, args.join(" ")).to.equal(wanted);
    }
    expect(() => statSync(file("a.test.pem"))).to.throw("ENOENT");
  }).timeout(15_000);
});
