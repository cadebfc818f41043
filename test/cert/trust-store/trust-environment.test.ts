import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { expect } from "chai";
import { describe, it } from "mocha";
import { localMachine, trustEnvironment } from "@hauberk/cert/trust-store";
import { rejection } from "../../support/rejection.ts";
import { tempDirectory } from "../../support/temp-directory.ts";
import { testAnchor } from "../../support/trust-stores.ts";

describe("trustEnvironment()", () => {
  const folder = tempDirectory();
  const ca = testAnchor(folder, "ca");
  const other = testAnchor(folder, "other");
  const root = join(folder, "root");
  mkdirSync(join(root, "etc/ssl/certs"), { recursive: true });
  const systemBundle = join(root, "etc/ssl/certs/ca-certificates.crt");
  const machine = localMachine({ platform: "linux", root });
  const bundleFile = join(folder, "ca-bundle.pem");
  const bundle = (): string => readFileSync(bundleFile, "utf8");

  it("names the CA alone where programs add it, and a bundle where they replace theirs", async () => {
    writeFileSync(systemBundle, other.certificate);
    const variables = await trustEnvironment(ca, machine);
    for (const { name, value, isAdded } of variables) {
      expect(value, name).to.equal(isAdded ? ca.certificateFile : bundleFile);
    }
    const value = (name: string): string | undefined =>
      variables.find((variable) => variable.name === name)?.value;
    expect(value("NODE_EXTRA_CA_CERTS")).to.equal(ca.certificateFile);
    for (const name of ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "AWS_CA_BUNDLE"]) {
      expect(value(name), name).to.equal(bundleFile);
    }
  });

  it("puts the CA behind those of the system, readable by all", async () => {
    writeFileSync(systemBundle, other.certificate.trimEnd());
    await trustEnvironment(ca, machine);
    expect(bundle()).to.equal(`${other.certificate}${ca.certificate}`);
    expect(statSync(bundleFile).mode & 0o777).to.equal(0o644);
  });

  it("does not put it in twice when the system trusts it already", async () => {
    writeFileSync(systemBundle, `${ca.certificate}${other.certificate}`);
    await trustEnvironment(ca, machine);
    expect(bundle()).to.equal(`${ca.certificate}${other.certificate}`);
  });

  it("takes the CAs of Node.js where the system has no list", async () => {
    await trustEnvironment(ca, localMachine({ platform: "win32", root: join(folder, "bare") }));
    const blocks = bundle().match(/-----BEGIN CERTIFICATE-----/g) ?? [];
    expect(blocks.length).to.equal(rootCertificates.length + 1);
  });

  it("rejects when the bundle cannot be written", async () => {
    const elsewhere = { ...ca, certificateFile: join(folder, "none", "ca.pem") };
    expect((await rejection(trustEnvironment(elsewhere, machine))).code).to.equal(
      "ERR_CERT_STORAGE",
    );
  });
});
