import { execFile } from "node:child_process";
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
import { type Finished, runHauberk } from "../support/hauberk-process.ts";
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
