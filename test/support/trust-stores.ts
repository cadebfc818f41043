import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  trustStores,
  type Machine,
  type TrustAnchor,
  type TrustStore,
  type TrustStoreName,
} from "@hauberk/cert/trust-store";
import { testAuthority } from "./test-authority.ts";

/** A CA in a file, and the ways in which stores spell its hashes. */
export interface TestAnchor extends TrustAnchor {
  /** In upper case, without colons. */
  readonly sha1: string;
  readonly sha256: string;
  /** What it is called in stores. */
  readonly label: string;
}

/** Writes the certificate of a new CA to `<folder>/<name>.pem`; all of them have the same subject. */
export function testAnchor(
  folder: string,
  name: string,
  certificate = testAuthority().certificate,
): TestAnchor {
  const certificateFile = join(folder, `${name}.pem`);
  writeFileSync(certificateFile, certificate);
  const { fingerprint, fingerprint256 } = new X509Certificate(certificate);
  const sha256 = fingerprint256.replaceAll(":", "");
  return {
    certificate,
    certificateFile,
    sha1: fingerprint.replaceAll(":", ""),
    sha256,
    label: `hauberk-${sha256.slice(0, 16).toLowerCase()}`,
  };
}

/** Returns the first store of a name; there is one, be it absent. */
export async function findStore(machine: Machine, name: TrustStoreName): Promise<TrustStore> {
  const [store] = await trustStores({ machine, names: [name] });
  if (store === undefined) throw new Error(`There is no store ${name}`);
  return store;
}

/** Returns `hash` with a blank after every byte, as old releases of Windows print it. */
export function spaced(hash: string): string {
  return hash.replaceAll(/../g, "$& ").trim();
}
