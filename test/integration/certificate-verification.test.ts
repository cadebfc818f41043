import { execFile, spawnSync } from "node:child_process";
import { createPrivateKey, type KeyObject } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import { promisify } from "node:util";
import {
  createAuthority,
  issueCertificate,
  type Authority,
  type IssuedCertificate,
  type KeyKind,
} from "@hauberk/cert";
import { verifyCertificate } from "@hauberk/cert/inspect";
import { expect } from "chai";
import { before, describe, it } from "mocha";
import { INSIDE_NAMES, OUTSIDE_NAMES } from "../support/constrained-names.ts";
import { requireProgram } from "../support/external.ts";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { listenForTest } from "../support/tls-handshake.ts";

const execute = promisify(execFile);

const KINDS: readonly KeyKind[] = ["p256", "p384", "ed25519", "rsa2048"];
const NAMES = [
  "app.test",
  "*.app.test",
  "127.0.0.1",
  "::1",
  "jo@app.test",
  "spiffe://app.test/web",
];

describe("certificates of the development CA", () => {
  const directory = tempDirectory();
  const authorities = new Map<KeyKind, Authority>();
  const leafKeys = new Map<KeyKind, KeyObject>();
  before(async () => {
    for (const kind of KINDS) {
      const authority = await createAuthority({ key: kind });
      authorities.set(kind, authority);
      const { key } = await issueCertificate(authority, { names: ["app.test"], key: kind });
      leafKeys.set(kind, createPrivateKey(key));
    }
  });

  async function issue(
    names: readonly string[],
    caKind: KeyKind = "p256",
    leafKind: KeyKind = "p256",
  ): Promise<IssuedCertificate> {
    const authority = authorities.get(caKind);
    if (authority === undefined) throw new Error(`no CA of kind ${caKind}`);
    return issueCertificate(authority, {
      names,
      key: leafKeys.get(leafKind),
      outsideConstraints: true,
    });
  }

  /** Returns what `openssl verify -x509_strict` prints, "OK" or its error. */
  function opensslVerdict(program: string, { cert, ca }: IssuedCertificate): string {
    const certFile = join(directory, "leaf.pem");
    const caFile = join(directory, "ca.pem");
    writeFileSync(certFile, cert);
    writeFileSync(caFile, ca);
    const trust = ["-x509_strict", "-purpose", "sslserver", "-CAfile", caFile];
    const { stdout, stderr } = spawnSync(program, ["verify", ...trust, certFile], {
      encoding: "utf8",
    });
    return /: OK$/m.test(stdout) ? "OK" : stderr;
  }

  /** Returns what `openssl s_client` prints of a session with a server of ours. */
  async function opensslSession(
    program: string,
    { key, cert, ca }: IssuedCertificate,
    protocol: string,
  ): Promise<string> {
    const caFile = join(directory, "ca.pem");
    writeFileSync(caFile, ca);
    const server = createServer({ key, cert }, (socket) => socket.end());
    server.on("tlsClientError", () => undefined);
    const port = await listenForTest(server);
    const verify = ["-CAfile", caFile, "-verify_return_error", "-verify_hostname", "www.app.test"];
    const target = ["-connect", `127.0.0.1:${port}`, "-servername", "www.app.test"];
    const { stdout } = await execute(program, ["s_client", protocol, ...verify, ...target]);
    return stdout;
  }

  /** Returns what NSS says of a certificate for a usage: "V" for servers, "C" for clients. */
  function nssVerdict(program: string, { cert, ca }: IssuedCertificate, usage: string): string {
    const database = mkdtempSync(join(directory, "nss-"));
    const run = (...args: string[]): string => {
      const { stdout, stderr } = spawnSync(program, ["-d", `sql:${database}`, ...args], {
        encoding: "utf8",
      });
      return stdout + stderr;
    };
    run("-N", "--empty-password");
    for (const [name, trust, text] of [
      ["ca", "CT,,", ca],
      ["leaf", ",,", cert],
    ] as const) {
      writeFileSync(join(directory, `${name}.pem`), text);
      run("-A", "-n", name, "-t", trust, "-a", "-i", join(directory, `${name}.pem`));
    }
    return run("-V", "-u", usage, "-e", "-n", "leaf");
  }

  for (const caKind of KINDS) {
    for (const leafKind of KINDS) {
      it(`of ${caKind} for a ${leafKind} key pass openssl, handshakes of Node and s_client, and verifyCertificate()`, async function () {
        const issued = await issue(NAMES, caKind, leafKind);
        for (const name of ["app.test", "www.app.test", "127.0.0.1"]) {
          expect(await handshake(issued, name)).to.equal("TLSv1.3");
        }
        const verdict = await verifyCertificate(issued.cert, {
          authorities: issued.ca,
          host: "www.app.test",
        });
        expect(verdict.kind).to.equal("valid");
        const openssl = requireProgram(this, "openssl");
        expect(opensslVerdict(openssl, issued)).to.equal("OK");
        for (const protocol of ["-tls1_3", "-tls1_2"]) {
          const session = await opensslSession(openssl, issued, protocol);
          expect(session, protocol).to.include("Verify return code: 0 (ok)");
        }
      });
    }
  }

  // NSS takes no Ed25519 signatures in certificates.
  for (const caKind of ["p256", "rsa2048"] as const) {
    for (const leafKind of ["p256", "rsa2048"] as const) {
      it(`of ${caKind} for a ${leafKind} key pass certutil -V of NSS, and only for servers`, async function () {
        const certutil = requireProgram(this, "certutil");
        const issued = await issue(NAMES, caKind, leafKind);
        expect(nssVerdict(certutil, issued, "V")).to.equal("certutil: certificate is valid\n");
        expect(nssVerdict(certutil, issued, "C")).to.match(/certificate is invalid|not approved/);
        const outside = await issue(["google.com"], caKind, leafKind);
        expect(nssVerdict(certutil, outside, "V")).to.match(/not in the name space|invalid/);
      });
    }
  }

  it("for google.com are refused by openssl and by Node", async function () {
    const issued = await issue(["google.com"]);
    const error = await rejection(handshake(issued, "google.com"));
    expect(error.message).to.include("permitted subtree violation");
    const verdict = opensslVerdict(requireProgram(this, "openssl"), issued);
    expect(verdict).to.include("permitted subtree violation");
  });

  it("stand in openssl for every name that the constraints permit", async function () {
    const openssl = requireProgram(this, "openssl");
    for (const name of INSIDE_NAMES) {
      expect(opensslVerdict(openssl, await issue([name])), name).to.equal("OK");
    }
  });

  it("fall in openssl for every name that they exclude, also beside a permitted one", async function () {
    const openssl = requireProgram(this, "openssl");
    for (const name of OUTSIDE_NAMES) {
      const verdict = opensslVerdict(openssl, await issue(["app.test", name]));
      expect(verdict, name).to.match(/permitted subtree violation|unsupported or invalid name/);
    }
  });
});

/** Serves with the certificate, connects as a client that trusts its CA, and returns the protocol. */
async function handshake(
  { key, cert, ca }: IssuedCertificate,
  name: string,
): Promise<string | null> {
  const server = createServer({ key, cert }, (socket) => socket.end());
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const isAddress = /^[\d.]+$/.test(name);
  const client = connect({
    host: "127.0.0.1",
    port,
    ca,
    ...(isAddress ? {} : { servername: name }),
  });
  try {
    return await new Promise((resolve, reject) => {
      client.once("secureConnect", () => {
        resolve(client.getProtocol());
      });
      client.once("error", reject);
    });
  } finally {
    client.destroy();
    server.close();
  }
}
