import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createAuthority,
  inspectCertificate,
  issueCertificate,
  parseSubjectNames,
  type Authority,
} from "@hauberk/cert";
import { expect } from "chai";
import fc from "fast-check";
import { before, describe, it } from "mocha";
import { anyName, parseName } from "../support/any-name.ts";
import { IS_THOROUGH, requireProgram } from "../support/external.ts";
import { tempDirectory } from "../support/temp-directory.ts";

/** Labels of OpenSSL and of NSS. */
const TYPES: Readonly<Record<string, string>> = {
  DNS: "dns",
  "DNS name": "dns",
  "IP Address": "ip",
  email: "email",
  "RFC822 Name": "email",
  URI: "uri",
};

describe("the names of a certificate", () => {
  const directory = tempDirectory();
  let authority: Authority;
  before(async () => {
    authority = await createAuthority({ nameConstraints: false });
  });

  it("are read back unchanged by OpenSSL, by NSS and by us, whatever was asked for", async function () {
    this.timeout(120_000);
    const openssl = requireProgram(this, "openssl");
    const nss = nssDatabase(requireProgram(this, "certutil"));
    const lists = fc.array(anyName(), { minLength: 1, maxLength: 40 });
    let checked = 0;
    await fc.assert(
      fc.asyncProperty(lists, async (inputs) => {
        const names = inputs.filter((input) => parseName(input) !== undefined);
        fc.pre(names.length > 0);
        const { cert } = await issueCertificate(authority, { names });
        const expected = parseSubjectNames(names).map(({ type, value }) => `${type} ${value}`);
        expect(
          inspectCertificate(cert).subjectNames.map(({ type, value }) => `${type} ${value}`),
        ).to.deep.equal(expected);
        expect(namesOfOpenssl(openssl, cert)).to.deep.equal(expected);
        expect(namesOfNss(nss, cert)).to.deep.equal(expected);
        checked += expected.length;
      }),
      // A smaller counterexample is not worth hundreds of runs of three programs.
      { numRuns: IS_THOROUGH ? 100 : 25, endOnFailure: true },
    );
    expect(checked).to.be.greaterThan(IS_THOROUGH ? 200 : 40);
  });

  function namesOfOpenssl(openssl: string, cert: string): string[] {
    const text = execFileSync(openssl, ["x509", "-noout", "-ext", "subjectAltName"], {
      input: cert,
      encoding: "utf8",
    });
    // No name we sign holds white space, so ", " stands between names only.
    const entries = text.split("\n")[1]?.trim().split(", ") ?? [];
    return entries.map((entry) => canonical(/^([^:]+):(.*)$/s.exec(entry)));
  }

  /** Has NSS verify the certificate, then show it. */
  function namesOfNss(run: (...args: string[]) => string, cert: string): string[] {
    const file = join(directory, "leaf.pem");
    writeFileSync(file, cert);
    run("-A", "-n", "leaf", "-t", ",,", "-a", "-i", file);
    try {
      expect(run("-V", "-u", "V", "-e", "-n", "leaf")).to.include("certificate is valid");
      // certutil breaks long names in two and indents the rest.
      const lines = run("-L", "-n", "leaf")
        .replaceAll(/\n {16}/g, "")
        .split("\n");
      const start = lines.findIndex((line) => line.includes("Certificate Subject Alt Name")) + 1;
      const count = lines.slice(start).findIndex((line) => line.trim() === "");
      return lines
        .slice(start, start + count)
        .map((line) => canonical(/^ *([^:]+): "?(.*?)"?$/.exec(line)));
    } finally {
      run("-D", "-n", "leaf");
    }
  }

  /** Returns what calls certutil on a new database that trusts the CA. */
  function nssDatabase(certutil: string): (...args: string[]) => string {
    const database = mkdtempSync(join(directory, "nss-"));
    const run = (...args: string[]): string =>
      execFileSync(certutil, ["-d", `sql:${database}`, ...args], {
        encoding: "utf8",
        stdio: "pipe",
      });
    run("-N", "--empty-password");
    const file = join(directory, "ca.pem");
    writeFileSync(file, authority.certificate);
    run("-A", "-n", "ca", "-t", "C,,", "-a", "-i", file);
    return run;
  }
});

/** Addresses are shown in many forms; names in one. */
function canonical(match: RegExpExecArray | null): string {
  const [, label = "", value = ""] = match ?? [];
  const type = TYPES[label] ?? label;
  const isIpv6 = type === "ip" && value.includes(":");
  return `${type} ${isIpv6 ? new URL(`http://[${value}]`).hostname.slice(1, -1) : value}`;
}
