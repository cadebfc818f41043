import type { KeyObject, X509Certificate } from "node:crypto";
import type { AuthorityFiles } from "./authority-files.ts";
import { readCertificate } from "./certificate-reader.ts";
import { isEncryptedPem } from "./encrypted-key.ts";
import { access, foreignOwner, readFileIfPresent, type Access } from "./file-storage.ts";
import { readX509, validity } from "./inspect.ts";
import { keyKind, keyName, readPrivateKey } from "./key-pair.ts";
import { checkOptionKeys, dateOption } from "./options.ts";
import { quote } from "./quote.ts";
import { isBrokenScheme, signatureScheme } from "./signature-algorithm.ts";
import { authorityLocation, type LoadAuthorityOptions } from "./stored-authority.ts";

const DAY_MS = 86_400_000;
/** What a leaf lasts unless told otherwise: from here on the end of the CA cuts it short. */
const SOON_DAYS = 90;

const ROTATE = "replace the CA: hauberk ca rotate";

/** What can be wrong with a CA on disk. */
export type AuthorityFault =
  | "missing"
  | "incomplete"
  | "damaged"
  | "mismatch"
  | "not-an-authority"
  | "weak-signature"
  | "weak-key"
  | "expired"
  | "not-yet-valid"
  | "expires-soon"
  | "unconstrained"
  | "key-permissions"
  | "folder-permissions"
  | "owner";

/** One thing that is wrong with a CA, and what helps. */
export interface AuthorityFinding {
  readonly fault: AuthorityFault;
  /** "error": the CA cannot or should not be used; "warning": it works, but not for long or not safely. */
  readonly severity: "error" | "warning";
  /** One sentence with paths. */
  readonly problem: string;
  /** What repairs it: a command or a sentence. */
  readonly repair: string;
}

/** Options of `checkAuthority`. */
export type CheckAuthorityOptions = Omit<LoadAuthorityOptions, "passphrase">;

const CHECK_KEYS = {
  directory: true,
  name: true,
  now: true,
} satisfies Record<keyof CheckAuthorityOptions, true>;

/**
 * Examines a CA on disk and returns all that is wrong with it; nothing for a healthy one. Changes
 * nothing. Needs no passphrase, so it cannot tell whether an encrypted key belongs to the certificate.
 *
 * @throws {TypeError} If an option is unknown or malformed
 * @throws {CertError} ERR_CERT_STORAGE when the system refuses to read
 */
export async function checkAuthority(
  options: CheckAuthorityOptions = {},
): Promise<AuthorityFinding[]> {
  checkOptionKeys("checkAuthority", options, CHECK_KEYS);
  const files = authorityLocation(options);
  const now = dateOption("now", options.now);
  const cert = await readFileIfPresent(files.certFile);
  const key = await readFileIfPresent(files.keyFile);
  if (cert === undefined && key === undefined) {
    return [error("missing", `There is no CA in ${quote(files.folder)}`, "hauberk cert makes one")];
  }
  const certificate = cert === undefined ? undefined : readOr(() => readX509(cert));
  const isSealed = key !== undefined && isEncryptedPem(key);
  const privateKey = key === undefined || isSealed ? undefined : readOr(() => readPrivateKey(key));
  return [
    ...presence(files, cert, certificate, "certFile"),
    ...presence(files, key, isSealed || privateKey, "keyFile"),
    ...(certificate === undefined ? [] : certificateFaults(files, certificate, now)),
    ...(certificate === undefined || privateKey === undefined
      ? []
      : pairFaults(files, certificate, privateKey)),
    ...(await accessFaults(files, key !== undefined)),
  ];
}

function presence(
  files: AuthorityFiles,
  text: string | undefined,
  value: unknown,
  which: "certFile" | "keyFile",
): AuthorityFinding[] {
  const repair = `restore it from a copy, or ${ROTATE}`;
  if (text === undefined) return [error("incomplete", `${quote(files[which])} is missing`, repair)];
  return value === undefined ? [error("damaged", `${quote(files[which])} is damaged`, repair)] : [];
}

function certificateFaults(
  { certFile }: AuthorityFiles,
  certificate: X509Certificate,
  now: Date,
): AuthorityFinding[] {
  const findings: AuthorityFinding[] = [];
  const { nameConstraints, keyUsages, signatureAlgorithm } = readCertificate(certificate);
  if (!certificate.ca || keyUsages?.includes("keyCertSign") === false) {
    const problem = `${quote(certFile)} is not allowed to sign certificates`;
    findings.push(error("not-an-authority", problem, ROTATE));
  }
  const { name: scheme } = signatureScheme(signatureAlgorithm);
  if (isBrokenScheme(scheme)) {
    findings.push(error("weak-signature", `${quote(certFile)} is signed with ${scheme}`, ROTATE));
  }
  if (keyKind(certificate.publicKey) === undefined) {
    const problem = `The key of ${quote(certFile)} is ${keyName(certificate.publicKey)}: weak or unknown`;
    findings.push(error("weak-key", problem, ROTATE));
  }
  findings.push(...validityFaults(certFile, certificate, now));
  if (nameConstraints === undefined) {
    const problem =
      `${quote(certFile)} may sign for every name on the Internet: whoever gets its key can ` +
      "impersonate every site to the machines that trust it";
    findings.push(warning("unconstrained", problem, ROTATE));
  }
  return findings;
}

function validityFaults(
  certFile: string,
  certificate: X509Certificate,
  now: Date,
): AuthorityFinding[] {
  const { notBefore, notAfter } = validity(certificate);
  const file = quote(certFile);
  if (now > notAfter) {
    return [error("expired", `${file} expired on ${notAfter.toISOString()}`, ROTATE)];
  }
  if (now < notBefore) {
    const problem = `${file} starts on ${notBefore.toISOString()}`;
    return [error("not-yet-valid", problem, "set the clock of this machine")];
  }
  const leftDays = Math.floor((notAfter.getTime() - now.getTime()) / DAY_MS);
  if (leftDays >= SOON_DAYS) return [];
  const problem = `${file} ends in ${leftDays} days, and every certificate that it signs with it`;
  return [warning("expires-soon", problem, ROTATE)];
}

function pairFaults(
  { certFile, keyFile }: AuthorityFiles,
  certificate: X509Certificate,
  privateKey: KeyObject,
): AuthorityFinding[] {
  if (certificate.checkPrivateKey(privateKey)) return [];
  const problem = `${quote(keyFile)} does not belong to ${quote(certFile)}`;
  return [error("mismatch", problem, `restore the right one, or ${ROTATE}`)];
}

async function accessFaults(files: AuthorityFiles, hasKey: boolean): Promise<AuthorityFinding[]> {
  const { keyFile, folder, directory } = files;
  const key = hasKey ? await access(keyFile) : undefined;
  const inside = await access(folder);
  return [
    ...(key === undefined || (key.mode & 0o077) === 0
      ? []
      : [
          error(
            "key-permissions",
            `Others may use ${quote(keyFile)} (mode ${key.mode.toString(8)})`,
            `chmod 600 ${quote(keyFile)}; if somebody may have copied it, ${ROTATE}`,
          ),
        ]),
    ...writableByOthers(folder, inside, error),
    ...writableByOthers(directory, await access(directory), warning),
    ...ownedByAnother(keyFile, key),
    ...ownedByAnother(folder, inside),
  ];
}

function writableByOthers(
  path: string,
  found: Access | undefined,
  judge: typeof error,
): AuthorityFinding[] {
  if (found === undefined || (found.mode & 0o022) === 0) return [];
  const problem = `Others may replace files in ${quote(path)} (mode ${found.mode.toString(8)})`;
  return [judge("folder-permissions", problem, `chmod go-w ${quote(path)}`)];
}

function ownedByAnother(path: string, found: Access | undefined): AuthorityFinding[] {
  const owner = foreignOwner(found);
  if (owner === undefined) return [];
  const user = process.getuid?.();
  const problem = `${quote(path)} belongs to user ${owner}, and this process runs as user ${user}`;
  // Root reads everybody's files, as under sudo.
  const judge = user === 0 ? warning : error;
  return [judge("owner", problem, `run as user ${owner}, or chown ${user} ${quote(path)}`)];
}

function readOr<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

function error(fault: AuthorityFault, problem: string, repair: string): AuthorityFinding {
  return { fault, severity: "error", problem, repair };
}

function warning(fault: AuthorityFault, problem: string, repair: string): AuthorityFinding {
  return { fault, severity: "warning", problem, repair };
}
