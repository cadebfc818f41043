import { execFile } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, createServer, type PeerCertificate } from "node:tls";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { expect } from "chai";
import { describe, it } from "mocha";
import { issueCertificate, loadAuthority } from "@hauberk/cert";
import { requireProgram } from "../support/external.ts";
import { type Finished, runHauberk, startHauberk } from "../support/hauberk-process.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const execute = promisify(execFile);

describe("hauberk cert", () => {
  const folder = tempDirectory();
  const home = join(folder, "home");
  const run = (...args: string[]): Promise<Finished> =>
    runHauberk(["cert", ...args], { cwd: folder, env: { HAUBERK_HOME: home } });

  it("makes a certificate that openssl and Node accept for every name", async function () {
    const openssl = requireProgram(this, "openssl");
    const { code, stdout } = await run("app.test", "*.app.test", "127.0.0.1", "::1");
    expect(code).to.equal(0);
    const certFile = file(stdout, /^Made (certs-dev.*\.pem)$/m);
    const keyFile = file(stdout, /^ {2}key +(.*)$/m);
    const caFile = file(stdout, /NODE_EXTRA_CA_CERTS=(.*)$/m);
    expect(statSync(join(folder, keyFile)).mode & 0o777).to.equal(0o600);
    for (const [option, name] of [
      ["-verify_hostname", "app.test"],
      ["-verify_hostname", "www.app.test"],
      ["-verify_ip", "127.0.0.1"],
      ["-verify_ip", "::1"],
    ] as const) {
      const verify = ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", caFile];
      await execute(openssl, [...verify, option, name, join(folder, certFile)]);
    }
    const pair = {
      key: readFileSync(join(folder, keyFile)),
      cert: readFileSync(join(folder, certFile)),
    };
    for (const servername of ["app.test", "www.app.test"]) {
      expect((await handshake(pair, readFileSync(caFile), servername)).subjectaltname).to.equal(
        "DNS:app.test, DNS:*.app.test, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
      );
    }
  });

  it("makes a CA whose certificates for public names openssl and Node refuse", async function () {
    const openssl = requireProgram(this, "openssl");
    await run("localhost");
    const refused = await run("google.com");
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.include("google.com");
    const authority = await loadAuthority({ directory: home });
    const leaf = await issueCertificate(authority, {
      names: ["google.com"],
      outsideConstraints: true,
    });
    const leafFile = join(folder, "google.pem");
    writeFileSync(leafFile, leaf.cert);
    const failure = await execute(openssl, [
      "verify",
      "-CAfile",
      authority.certificateFile,
      leafFile,
    ]).then(
      () => "accepted",
      (error: { stderr: string }) => error.stderr,
    );
    expect(failure).to.include("permitted subtree violation");
    const outcome = await handshake(leaf, authority.certificate, "google.com").then(
      () => "accepted",
      () => "refused",
    );
    expect(outcome).to.equal("refused");
  });

  it("reuses a valid pair, and renews on --force", async () => {
    const first = await run("again.test");
    const second = await run("again.test");
    expect(second.stdout).to.match(/^Reused /m);
    expect(first.stdout).to.match(/^Made /m);
    expect((await run("again.test", "--force")).stdout).to.match(/^Renewed /m);
  });

  it("writes where --out says, with the key and lifetime asked for", async () => {
    const { code, stdout } = await run(
      "other.test",
      "--out",
      "tls",
      "--key",
      "p384",
      "--days",
      "7",
    );
    expect(code).to.equal(0);
    expect(stdout).to.match(/^Made tls\/other\.test\.pem$/m);
    const until = new Date(file(stdout, /^ {2}until +(.*)$/m)).getTime();
    expect((until - Date.now()) / 86_400_000).to.be.within(5, 7);
  });

  it("makes certificates for clients, for both and already expired ones", async function () {
    const openssl = requireProgram(this, "openssl");
    for (const [args, stem, usages, extra] of [
      [["--client", "ada@app.test"], "ada@app.test-client", "TLS Web Client Authentication", []],
      [
        ["--both", "c.test"],
        "c.test-both",
        "TLS Web Server Authentication, TLS Web Client Authentication",
        [],
      ],
      [
        ["--expired", "d.test"],
        "d.test-expired",
        "TLS Web Server Authentication",
        ["-checkend", "0"],
      ],
    ] as const) {
      const { code, stdout } = await run(...args);
      expect(code).to.equal(0);
      const certFile = join("certs-dev", `${stem}.pem`);
      expect(stdout).to.include(`Made ${certFile}\n`);
      const look = ["x509", "-in", join(folder, certFile), "-noout", "-ext", "extendedKeyUsage"];
      const shown = await execute(openssl, [...look, ...extra]).catch((error: unknown) => error);
      expect((shown as { stdout: string }).stdout).to.include(usages);
      if (extra.length > 0) expect(shown).to.include({ code: 1 });
    }
    const nobody = await run("--client");
    expect(nobody.code).to.equal(2);
    expect(nobody.stderr).to.include("--client needs a name");
  });

  it("makes one for WebTransport and prints the hash that a browser takes", async () => {
    const { stdout } = await run("--webtransport", "e.test");
    const certificate = new X509Certificate(
      readFileSync(join(folder, "certs-dev", "e.test-webtransport.pem")),
    );
    const hash = createHash("sha256").update(certificate.raw).digest("base64");
    expect(stdout).to.include(`hash   sha-256 ${hash}\n`);
    const lifetimeMs = Date.parse(certificate.validTo) - Date.parse(certificate.validFrom);
    expect(lifetimeMs).to.be.at.most(14 * 86_400_000);
    const contradiction = await run("--webtransport", "--days", "20", "e.test");
    expect(contradiction.code).to.equal(2);
    expect(contradiction.stderr).to.include("cannot go with days");
  });

  it("warns of long lives, and refuses those that Apple platforms refuse unless told so", async () => {
    const quiet = await run("f.test", "--days", "398");
    expect([quiet.code, quiet.stderr]).to.deep.equal([0, ""]);
    const long = await run("f.test", "--days", "399", "--force");
    expect(long.stderr).to.include("WARNING: --days 399");
    const refused = await run("f.test", "--days", "826");
    expect(refused.code).to.equal(2);
    expect(refused.stderr).to.include("need --long-lived");
    const forced = await run("f.test", "--days", "826", "--long-lived", "--force");
    expect(forced.code).to.equal(0);
    expect(forced.stderr).to.include("Apple platforms refuse more than 825");
    const cut = await run("f.test", "--days", "7300", "--long-lived", "--force");
    expect(cut.stderr).to.match(/it lasts 36(?:49|50) days, because the CA ends then/);
  });

  it("uses the file name, the organization and the CA asked for", async () => {
    const args = ["g.test", "--name", "mine", "--org", "Söhne", "--ca", "work", "--out", "own"];
    const { code, stdout } = await run(...args);
    expect(code).to.equal(0);
    expect(stdout)
      .to.match(/^Made own\/mine\.pem$/m)
      .and.to.include("hauberk ca install --ca work");
    const certificate = new X509Certificate(readFileSync(join(folder, "own", "mine.pem")));
    expect(certificate.toLegacyObject().subject).to.include({ O: "Söhne", CN: "g.test" });
    const { certificate: ca } = await loadAuthority({ directory: home, name: "work" });
    expect(certificate.verify(new X509Certificate(ca).publicKey)).to.equal(true);
    expect((await run(...args)).stdout).to.match(/^Reused /);
  });

  it("makes a wider CA loudly, and does not widen one that is there", async () => {
    const wide = await run("www.example.com", "--ca", "wide", "--permit", "example.com");
    expect(wide.code).to.equal(0);
    expect(wide.stdout).to.match(/^Made a development CA: /);
    expect(wide.stderr).to.include("WARNING").and.to.include("may also sign for example.com");
    const again = await run("www.example.com", "--ca", "wide", "--permit", "example.com");
    expect([again.code, again.stderr]).to.deep.equal([0, ""]);
    const late = await run("www.example.org", "--ca", "wide", "--permit", "example.org");
    expect(late.code).to.equal(1);
    expect(late.stderr).to.include("it may not sign example.org");
    const both = await run("x.test", "--permit", "example.org", "--unconstrained");
    expect(both.code).to.equal(2);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`keeps the certificate renewed with --watch until ${signal}`, async () => {
      const name = `watched-${signal.toLowerCase()}.test`;
      const env = { HAUBERK_HOME: home };
      const watching = startHauberk(["cert", name, "--watch"], { cwd: folder, env });
      await watching.waitFor(/^Made [^]*hauberk ca install/);
      const certFile = join(folder, "certs-dev", `${name}.pem`);
      const before = readFileSync(certFile, "utf8");
      await run(name, "--force");
      const renewed = readFileSync(certFile, "utf8");
      expect(renewed).not.to.equal(before);
      await watching.waitFor(/^Renewed certs-dev\/watched-.* until \d{4}-\d\d-\d\d$/m);
      watching.child.kill(signal);
      const { code, stderr } = await watching.finished;
      expect([code, stderr]).to.deep.equal([0, ""]);
      expect(readFileSync(certFile, "utf8")).to.equal(renewed);
    });
  }

  it("loads neither the server nor its libraries", async () => {
    const coverage = join(folder, "coverage");
    const { code } = await runHauberk(["cert", "lean.test"], {
      cwd: folder,
      env: { HAUBERK_HOME: home, NODE_V8_COVERAGE: coverage },
    });
    expect(code).to.equal(0);
    const [report = ""] = readdirSync(coverage);
    const loaded = (
      JSON.parse(readFileSync(join(coverage, report), "utf8")) as { result: { url: string }[] }
    ).result.map(({ url }) => url);
    expect(loaded.filter((url) => url.includes("node-forge"))).to.not.have.length(0);
    const needless =
      /node_modules\/(express|pino|zod|helmet|acme-client)\/|packages\/(server|tls)\//;
    expect(loaded.filter((url) => needless.test(url))).to.deep.equal([]);
  });
});

function file(output: string, pattern: RegExp): string {
  const match = pattern.exec(output)?.[1];
  if (match === undefined) throw new Error(`No ${pattern} in:\n${output}`);
  return match;
}

async function handshake(
  pair: { key: string | Buffer; cert: string | Buffer },
  ca: string | Buffer,
  servername: string,
): Promise<PeerCertificate> {
  const server = createServer({ key: pair.key, cert: pair.cert }, (socket) => socket.end());
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: "127.0.0.1", port, ca, servername });
  try {
    await once(socket, "secureConnect");
    return socket.getPeerCertificate();
  } finally {
    socket.destroy();
    server.close();
  }
}
