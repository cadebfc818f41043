import { CertError } from "../errors.ts";
import { readFileIfPresent } from "../file-storage.ts";
import { readX509 } from "../inspect.ts";
import { checkOptionKeys } from "../options.ts";
import { toPem } from "../pem.ts";
import { quote } from "../quote.ts";
import { authorityLocation, noAuthority, type LoadAuthorityOptions } from "../stored-authority.ts";

/** A CA to be trusted. What `loadAuthority` and `openAuthority` return is one. */
export interface TrustAnchor {
  /** The certificate in PEM. */
  readonly certificate: string;
  /** Absolute path of a file that holds it. */
  readonly certificateFile: string;
}

/** Options of `readTrustAnchor`. */
export type ReadTrustAnchorOptions = Pick<LoadAuthorityOptions, "directory" | "name">;

const OPTION_KEYS = {
  directory: true,
  name: true,
} satisfies Record<keyof ReadTrustAnchorOptions, true>;

/**
 * Reads the certificate of a CA on disk. Unlike `loadAuthority` it needs neither the key nor its
 * passphrase, and takes a CA that has expired: that one has to be uninstalled too.
 *
 * @throws {CertError} ERR_CERT_AUTHORITY_MISSING when there is none
 * @throws {CertError} ERR_CERT_AUTHORITY_INVALID when the file holds no certificate of a CA
 * @throws {CertError} ERR_CERT_STORAGE when the system refuses to read
 */
export async function readTrustAnchor(options: ReadTrustAnchorOptions = {}): Promise<TrustAnchor> {
  checkOptionKeys("readTrustAnchor", options, OPTION_KEYS);
  const files = authorityLocation(options);
  const { certFile } = files;
  const text = await readFileIfPresent(certFile);
  if (text === undefined) throw noAuthority(files);
  try {
    const certificate = readX509(text);
    if (!certificate.ca) throw new SyntaxError("It is not allowed to sign certificates");
    return { certificate: toPem("CERTIFICATE", certificate.raw), certificateFile: certFile };
  } catch (cause) {
    throw new CertError(
      "ERR_CERT_AUTHORITY_INVALID",
      `Cannot read the CA: ${quote(certFile)} does not hold the certificate of one`,
      { cause },
    );
  }
}

/**
 * Returns the name under which a CA goes into stores. It carries the fingerprint, so that two CAs
 * with the same subject never meet, and no colon, which NSS takes for the end of a token's name.
 */
export function anchorLabel({ certificate }: TrustAnchor): string {
  const digest = readX509(certificate).fingerprint256.replaceAll(":", "").toLowerCase();
  return `hauberk-${digest.slice(0, 16)}`;
}

/** Whether a text in PEM, with whatever stands around its blocks, holds the certificate. */
export function holdsAnchor(pem: string, { certificate }: TrustAnchor): boolean {
  return pem.replaceAll(/\s/g, "").includes(readX509(certificate).raw.toString("base64"));
}
