import { dirname, join } from "node:path";
import { rootCertificates } from "node:tls";
import { PUBLIC_FILE_MODE, writeFileAtomic } from "../file-storage.ts";
import { systemBundle } from "./linux-system-store.ts";
import { localMachine, type Machine } from "./machine.ts";
import { holdsAnchor, type TrustAnchor } from "./trust-anchor.ts";

/** An environment variable that makes programs trust a CA. */
export interface TrustVariable {
  readonly name: string;
  readonly value: string;
  /** Whether its file is added to the list of the program, rather than put in its place. */
  readonly isAdded: boolean;
  /** Who reads it, such as "Node.js". */
  readonly readers: string;
}

/** Variables whose file comes on top of the CAs that the program trusts anyway. */
const ADDED = [
  ["NODE_EXTRA_CA_CERTS", "Node.js, when it starts"],
  ["DENO_CERT", "Deno"],
] as const;

/** Variables whose file takes the place of every CA that the program trusts. */
const REPLACING = [
  ["SSL_CERT_FILE", "OpenSSL, and with it Ruby, PHP and Python; Go; Rust"],
  ["CURL_CA_BUNDLE", "curl"],
  ["GIT_SSL_CAINFO", "git"],
  ["REQUESTS_CA_BUNDLE", "requests of Python"],
  ["PIP_CERT", "pip"],
  ["AWS_CA_BUNDLE", "the AWS command line and its SDKs"],
  ["CARGO_HTTP_CAINFO", "cargo"],
  ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "gRPC"],
] as const;

/**
 * Writes `ca-bundle.pem` beside the certificate of the CA (the CAs of the system, or those of Node.js
 * where the system has no such file, and the CA itself) and returns the variables that point there,
 * or to the certificate alone where programs add it to their own.
 *
 * @throws {CertError} ERR_CERT_STORAGE when the bundle cannot be written
 */
export async function trustEnvironment(
  ca: TrustAnchor,
  machine: Machine = localMachine(),
): Promise<readonly TrustVariable[]> {
  const bundleFile = join(dirname(ca.certificateFile), "ca-bundle.pem");
  await writeFileAtomic(bundleFile, await bundleWith(ca, machine), PUBLIC_FILE_MODE);
  return [
    ...ADDED.map(([name, readers]) => ({
      name,
      value: ca.certificateFile,
      isAdded: true,
      readers,
    })),
    ...REPLACING.map(([name, readers]) => ({ name, value: bundleFile, isAdded: false, readers })),
  ];
}

async function bundleWith(ca: TrustAnchor, machine: Machine): Promise<string> {
  const path = await systemBundle(machine);
  const text = path === undefined ? undefined : await machine.readText(path);
  const list = (text ?? rootCertificates.join("\n")).trimEnd();
  return holdsAnchor(list, ca) ? `${list}\n` : `${list}\n${ca.certificate}`;
}
