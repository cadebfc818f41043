import type { X509Certificate } from "node:crypto";
import { authorityFiles, isAuthorityName, type AuthorityFiles } from "./authority-files.ts";
import { readCertificate } from "./certificate-reader.ts";
import { isEncryptedPem } from "./encrypted-key.ts";
import {
  access,
  exists,
  foreignOwner,
  listDirectory,
  readFileIfPresent,
  type Access,
} from "./file-storage.ts";
import { inspectCertificate, readX509, validity, type CertificateSummary } from "./inspect.ts";
import { keyKind, keyName, readPrivateKey } from "./key-pair.ts";
import {
  constraintsFor,
  DEVELOPMENT_NAMES,
  notPermitted,
  type NameConstraints,
} from "./name-constraints.ts";
import { checkOptionKeys, dateOption } from "./options.ts";
import { quote } from "./quote.ts";
import { isBrokenScheme, signatureScheme } from "./signature-algorithm.ts";
import { authorityLocation, type LoadAuthorityOptions } from "./stored-authority.ts";

const DAY_MS = 86_400_000;
/** What a leaf lasts unless told otherwise: from here on the end of the CA cuts it short. */
const SOON_DAYS = 90;

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
  | "widened"
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

/** A CA as found on disk, whatever its state. */
export interface AuthorityReport {
  readonly directory: string;
  readonly name: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** What the certificate says; undefined when there is none that can be read. */
  readonly certificate: CertificateSummary | undefined;
  /** Whether a passphrase protects the key; undefined when there is no key. */
  readonly encrypted: boolean | undefined;
  /** Empty for a healthy CA. */
  readonly findings: readonly AuthorityFinding[];
  /** Names of the other CAs in `directory`, those put aside by `rotateAuthority` among them. */
  readonly others: readonly string[];
}

/** Options of `checkAuthority`. */
export type CheckAuthorityOptions = Omit<LoadAuthorityOptions, "passphrase">;

const CHECK_KEYS = {
  directory: true,
  name: true,
  now: true,
} satisfies Record<keyof CheckAuthorityOptions, true>;

/**
 * Examines a CA on disk: what it is, and all that is wrong with it. Changes nothing. Needs no passphrase,
 * so it cannot tell whether an encrypted key belongs to the certificate.
 *
 * @throws {TypeError} If an option is unknown or malformed
 * @throws {CertError} ERR_CERT_STORAGE when the system refuses to read
 */
export async function checkAuthority(
  options: CheckAuthorityOptions = {},
): Promise<AuthorityReport> {
  checkOptionKeys("checkAuthority", options, CHECK_KEYS);
  const files = authorityLocation(options);
  const now = dateOption("now", options.now);
  const cert = await readFileIfPresent(files.certFile);
  const key = await readFileIfPresent(files.keyFile);
  const certificate = cert === undefined ? undefined : readOr(() => readX509(cert));
  const isNothing = cert === undefined && key === undefined;
  return {
    directory: files.directory,
    name: files.name,
    certificateFile: files.certFile,
    keyFile: files.keyFile,
    certificate: certificate === undefined ? undefined : inspectCertificate(certificate.toString()),
    encrypted: key === undefined ? undefined : isEncryptedPem(key),
    findings: isNothing
      ? [error("missing", `There is no CA in ${quote(files.folder)}`, hauberkCa("create", files))]
      : [
          ...(cert === undefined ? [absent(files.certFile, files)] : []),
          ...(cert !== undefined && certificate === undefined
            ? [damaged(files.certFile, files)]
            : []),
          ...(certificate === undefined ? [] : certificateFaults(files, certificate, now)),
          ...(key === undefined
            ? [absent(files.keyFile, files)]
            : keyFaults(files, key, certificate)),
          ...(await accessFaults(files, key !== undefined)),
        ],
    others: await otherAuthorities(files),
  };
}

async function otherAuthorities({ directory, name }: AuthorityFiles): Promise<string[]> {
  const names = (await listDirectory(directory)).filter((one) => one !== name);
  const found = await Promise.all(
    names
      .filter(isAuthorityName)
      .map(async (one) => ((await exists(authorityFiles(directory, one).certFile)) ? [one] : [])),
  );
  return found.flat().toSorted();
}

/** Returns a command about the CA that was examined, which need not be the one it takes by default. */
function hauberkCa(command: string, { directory, name }: AuthorityFiles): string {
  const usual = authorityLocation({});
  return [
    `hauberk ca ${command}`,
    ...(directory === usual.directory ? [] : [`--ca-dir ${quote(directory)}`]),
    ...(name === usual.name ? [] : [`--ca ${name}`]),
  ].join(" ");
}

function rotate(files: AuthorityFiles): string {
  return `replace the CA: ${hauberkCa("rotate", files)}`;
}

function restore(files: AuthorityFiles): string {
  return `restore it from a copy, or ${rotate(files)}`;
}

function absent(path: string, files: AuthorityFiles): AuthorityFinding {
  return error("incomplete", `${quote(path)} is missing`, restore(files));
}

function damaged(path: string, files: AuthorityFiles): AuthorityFinding {
  return error("damaged", `${quote(path)} is damaged`, restore(files));
}

function keyFaults(
  files: AuthorityFiles,
  text: string,
  certificate: X509Certificate | undefined,
): AuthorityFinding[] {
  const { certFile, keyFile } = files;
  if (isEncryptedPem(text)) return [];
  const key = readOr(() => readPrivateKey(text));
  if (key === undefined) return [damaged(keyFile, files)];
  if (certificate === undefined || certificate.checkPrivateKey(key)) return [];
  const problem = `${quote(keyFile)} does not belong to ${quote(certFile)}`;
  return [error("mismatch", problem, `restore the right one, or ${rotate(files)}`)];
}

function certificateFaults(
  files: AuthorityFiles,
  certificate: X509Certificate,
  now: Date,
): AuthorityFinding[] {
  const { certFile } = files;
  const findings: AuthorityFinding[] = [];
  const { nameConstraints, keyUsages, signatureAlgorithm } = readCertificate(certificate);
  if (!certificate.ca || keyUsages?.includes("keyCertSign") === false) {
    const problem = `${quote(certFile)} is not allowed to sign certificates`;
    findings.push(error("not-an-authority", problem, rotate(files)));
  }
  const { name: scheme } = signatureScheme(signatureAlgorithm);
  if (isBrokenScheme(scheme)) {
    findings.push(
      error("weak-signature", `${quote(certFile)} is signed with ${scheme}`, rotate(files)),
    );
  }
  if (keyKind(certificate.publicKey) === undefined) {
    const problem = `The key of ${quote(certFile)} is ${keyName(certificate.publicKey)}: weak or unknown`;
    findings.push(error("weak-key", problem, rotate(files)));
  }
  findings.push(...validityFaults(files, certificate, now));
  findings.push(...constraintFaults(files, nameConstraints));
  return findings;
}

function constraintFaults(
  files: AuthorityFiles,
  constraints: NameConstraints | undefined,
): AuthorityFinding[] {
  const file = quote(files.certFile);
  const constrain = `if that is not what you want: ${hauberkCa("rotate --constrained", files)}`;
  const danger = "whoever gets its key can impersonate them to every machine that trusts it";
  if (constraints === undefined) {
    const problem = `${file} may sign for all names and addresses: ${danger}`;
    return [warning("unconstrained", problem, constrain)];
  }
  const { dns, ip } = constraints.permitted;
  const wider = [
    ...(dns.length === 0 ? ["all host names"] : []),
    ...(ip.length === 0 ? ["all addresses"] : []),
    ...notPermitted(constraintsFor(DEVELOPMENT_NAMES), { dns, ip }),
  ];
  if (wider.length === 0) return [];
  const problem = `${file} may also sign for ${wider.join(", ")}: ${danger}`;
  return [warning("widened", problem, constrain)];
}

function validityFaults(
  files: AuthorityFiles,
  certificate: X509Certificate,
  now: Date,
): AuthorityFinding[] {
  const { notBefore, notAfter } = validity(certificate);
  const file = quote(files.certFile);
  if (now > notAfter) {
    return [error("expired", `${file} expired on ${notAfter.toISOString()}`, rotate(files))];
  }
  if (now < notBefore) {
    const problem = `${file} starts on ${notBefore.toISOString()}`;
    return [error("not-yet-valid", problem, "set the clock of this machine")];
  }
  const leftDays = Math.floor((notAfter.getTime() - now.getTime()) / DAY_MS);
  if (leftDays >= SOON_DAYS) return [];
  const problem = `${file} ends in ${leftDays} days, and every certificate that it signs with it`;
  return [warning("expires-soon", problem, rotate(files))];
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
            `chmod 600 ${quote(keyFile)}; if somebody may have copied it, ${rotate(files)}`,
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
