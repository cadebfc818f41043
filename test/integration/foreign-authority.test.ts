import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { issueCertificate, loadAuthority } from "@hauberk/cert";
import { expect } from "chai";
import { describe, it } from "mocha";
import { requireProgram } from "../support/external.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const EXTENSIONS = [
  "basicConstraints=critical,CA:TRUE",
  "keyUsage=critical,keyCertSign",
  "subjectKeyIdentifier=none",
  "authorityKeyIdentifier=none",
  "nameConstraints=critical,permitted;DNS:example.com,excluded;DNS:secret.example.com," +
    "excluded;IP:10.0.0.0/255.0.0.0,excluded;email:.bad.example,excluded;URI:.bad.example",
];

describe("a CA made by openssl, with an RSA key, exclusions and no key identifiers", () => {
  const directory = tempDirectory();

  it("signs what openssl then accepts, and refuses what openssl would refuse", async function () {
    const openssl = requireProgram(this, "openssl");
    makeAuthority(openssl);
    const authority = await loadAuthority({ directory });
    expect(authority.key).to.equal("rsa2048");
    expect(authority.subject).to.equal("C=DE, O=Bücher, CN=Other CA");
    expect(authority.constrained).to.equal(false);

    for (const [name, isPermitted] of [
      ["www.example.com", true],
      ["google.com", false],
      ["secret.example.com", false],
      ["a.secret.example.com", false],
      ["11.0.0.1", true],
      ["10.0.0.1", false],
      ["2001:db8::1", true],
      ["a@good.example", true],
      ["a@x.bad.example", false],
      ["spiffe://good.example/x", true],
      ["spiffe://x.bad.example/x", false],
      ["urn:uuid:f81d4fae", false],
    ] as const) {
      const attempt = await issueCertificate(authority, { names: [name] }).then(
        () => "issued",
        (error: unknown) => (error as { code?: string }).code,
      );
      expect(attempt, name).to.equal(isPermitted ? "issued" : "ERR_CERT_NAME_NOT_PERMITTED");
      const options = { names: [name], outsideConstraints: true };
      const { cert, ca } = await issueCertificate(authority, options);
      expect(isVerified(openssl, cert, ca), name).to.equal(isPermitted);
    }
  });

  function makeAuthority(openssl: string): void {
    const folder = join(directory, "authority");
    mkdirSync(folder, { mode: 0o700 });
    const key = ["-newkey", "rsa:2048", "-nodes", "-keyout", join(folder, "ca-key.pem")];
    const subject = ["-utf8", "-subj", "/C=DE/O=Bücher/CN=Other CA", "-days", "30"];
    const extensions = EXTENSIONS.flatMap((extension) => ["-addext", extension]);
    const config = join(directory, "openssl.cnf");
    writeFileSync(config, "[req]\ndistinguished_name = name\n[name]\n");
    execFileSync(
      openssl,
      [
        "req",
        "-x509",
        "-config",
        config,
        ...key,
        ...subject,
        ...extensions,
        "-out",
        join(folder, "ca.pem"),
      ],
      { stdio: "pipe" },
    );
  }

  function isVerified(openssl: string, cert: string, ca: string): boolean {
    const [certFile, caFile] = [join(directory, "leaf.pem"), join(directory, "trusted.pem")];
    writeFileSync(certFile, cert);
    writeFileSync(caFile, ca);
    return spawnSync(openssl, ["verify", "-CAfile", caFile, certFile]).status === 0;
  }
});
