import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createSecureContext } from "node:tls";
import {
  createAuthority,
  exportCertificate,
  issueCertificate,
  toChain,
  toDer,
  toKubernetesSecret,
  type CertificateFormat,
  type IssuedCertificate,
} from "@hauberk/cert";
import { expect } from "chai";
import { before, describe, it } from "mocha";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const ALL: readonly CertificateFormat[] = [
  "pem",
  "chain",
  "der",
  "p12",
  "jks",
  "kubernetes",
  "haproxy",
];

describe("exportCertificate()", () => {
  const directory = tempDirectory();
  let pair: IssuedCertificate;
  before(async () => {
    pair = await issueCertificate(await createAuthority(), { names: ["app.test"] });
  });

  it("writes every form, those with the key for the owner alone", async () => {
    const folder = join(directory, "new");
    const stem = join(folder, "app.test");
    const { files, password } = await exportCertificate(pair, { formats: ALL, directory: folder });
    const modes = files.map(({ file, isPrivate }) => {
      const mode = statSync(file).mode & 0o777;
      expect(mode, file).to.equal(isPrivate ? 0o600 : 0o644);
      return `${basename(file)} ${mode.toString(8)}`;
    });
    expect(modes).to.deep.equal([
      "app.test.pem 644",
      "app.test-chain.pem 644",
      "app.test.der 644",
      "app.test.p12 600",
      "app.test.jks 600",
      "app.test-secret.yaml 600",
      "app.test-haproxy.pem 600",
    ]);
    const read = (ending: string): Buffer => readFileSync(`${stem}${ending}`);
    expect(read(".pem").toString()).to.equal(pair.cert);
    expect(read("-chain.pem").toString()).to.equal(pair.cert + pair.ca);
    expect(new X509Certificate(read(".der")).raw).to.deep.equal(new X509Certificate(pair.cert).raw);
    expect(read("-haproxy.pem").toString()).to.equal(pair.cert + pair.key);
    for (const ending of [".p12", ".jks"]) {
      createSecureContext({ pfx: read(ending), passphrase: password });
    }
  });

  it("takes the password given and tells it back, none where none is used", async () => {
    const place = { directory, fileName: "given" };
    const p12 = await exportCertificate(pair, { formats: ["p12"], ...place, password: "geheim" });
    expect(p12.password).to.equal("geheim");
    const [written] = p12.files;
    createSecureContext({ pfx: readFileSync(written?.file ?? ""), passphrase: "geheim" });
    const der = await exportCertificate(pair, { formats: ["der", "der"], ...place });
    expect(der.password).to.equal(undefined);
    expect(der.files).to.have.lengthOf(1);
  });

  it("makes a file that others could read private when it puts a key into it", async () => {
    const file = join(directory, "loose.p12");
    writeFileSync(file, "", { mode: 0o644 });
    await exportCertificate(pair, { formats: ["p12"], directory, fileName: "loose" });
    expect(statSync(file).mode & 0o777).to.equal(0o600);
  });

  it("writes nothing when one form cannot be made", async () => {
    const { cert, ca, names } = pair;
    const keyless = { cert, ca, names };
    const error = await rejection(
      exportCertificate(keyless, { formats: ["der", "haproxy"], directory }),
    );
    expect(error.message).to.equal('formats: "haproxy" needs the private key, and it is not here');
    expect(existsSync(join(directory, "app.test-csr.der"))).to.equal(false);
    const { files } = await exportCertificate(keyless, { formats: ["pem", "chain"], directory });
    expect(files.map(({ file }) => basename(file))).to.deep.equal([
      "app.test-csr.pem",
      "app.test-csr-chain.pem",
    ]);
  });

  it("refuses options that it cannot keep", async () => {
    for (const [options, message] of [
      [{ formats: [] }, "formats must list some of pem, chain, der, p12, jks"],
      [{ formats: ["pfx"] }, 'got ["pfx"]'],
      [{ formats: "pem" }, 'got "pem"'],
      [{ formats: ["pem"], fileName: "../x" }, 'got "../x"'],
      [{ formats: ["jks"], password: "short" }, "at least 6 characters, all ASCII"],
      [{ formats: ["jks"], password: "pässwort" }, "at least 6 characters, all ASCII"],
      [{ formats: ["p12"], lagacy: true }, 'did you mean "legacy"?'],
    ] as const) {
      const error = await rejection(exportCertificate(pair, options as never));
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.include(message).and.not.include("short");
    }
  });

  it("names a Kubernetes secret after the file, within the rules of Kubernetes", async () => {
    for (const [fileName, name] of [
      ["_wildcard.app.test+2", "wildcard.app.test-2"],
      ["__1", "1"],
      ["Jo@App.test", "jo-app.test"],
      ["a-.-b", "a.b"],
      ["___", "certificate"],
    ] as const) {
      await exportCertificate(pair, { formats: ["kubernetes"], directory, fileName });
      const yaml = readFileSync(join(directory, `${fileName}-secret.yaml`), "utf8");
      expect(yaml).to.include(`\n  name: "${name}"\n`);
    }
  });
});

describe("the forms of a certificate", () => {
  let pair: IssuedCertificate;
  before(async () => {
    pair = await issueCertificate(await createAuthority(), { names: ["app.test"] });
  });

  it("hold each certificate of a chain once", () => {
    expect(toChain({ cert: pair.cert + pair.ca, ca: pair.ca })).to.equal(pair.cert + pair.ca);
    expect(() => toChain({ cert: pair.key })).to.throw(SyntaxError, "there is no certificate");
    expect(() => toDer(pair.key)).to.throw(SyntaxError, "no CERTIFICATE block");
  });

  it("are what kubectl would store: a secret of type kubernetes.io/tls", () => {
    const yaml = toKubernetesSecret(pair, { name: "web.tls", namespace: "prod" });
    const values: Readonly<Record<string, string>> = Object.fromEntries(
      [...yaml.matchAll(/^ *([\w.]+): "?([^"\n]*)"?$/gm)].map(([, key = "", value = ""]) => [
        key,
        value,
      ]),
    );
    expect(values).to.include({ type: "kubernetes.io/tls", name: "web.tls", namespace: "prod" });
    expect(decode(values["tls.crt"])).to.equal(pair.cert);
    expect(decode(values["tls.key"])).to.equal(pair.key);
    expect(decode(values["ca.crt"])).to.equal(pair.ca);
  });

  it("refuse names that would change the YAML", () => {
    for (const name of ["", 'a"\n  x: y', "A", "-a", "a..b", "a".repeat(64), "ä"]) {
      expect(() => toKubernetesSecret(pair, { name }), name).to.throw(TypeError, "name must be");
    }
    expect(() => toKubernetesSecret(pair, { name: "a", namespace: "a.b" })).to.throw(
      TypeError,
      "namespace must be",
    );
  });
});

function decode(base64: string | undefined): string {
  return Buffer.from(base64 ?? "", "base64").toString();
}
