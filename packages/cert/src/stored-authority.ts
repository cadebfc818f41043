import { join, resolve } from "node:path";
import { authorityDirectory } from "./authority-directory.ts";
import { toAuthority, type Authority } from "./authority.ts";
import { CertError, type CertErrorCode } from "./errors.ts";
import { permissions, readFileIfPresent } from "./file-storage.ts";
import { readX509 } from "./inspect.ts";
import { keyKind, keyName, readPrivateKey } from "./key-pair.ts";
import { checkOptionKeys, dateOption, pathOption } from "./options.ts";
import { quote } from "./quote.ts";

/** Both files live in one folder of their own, so that one rename makes the CA appear. */
export const AUTHORITY_FILES = {
  folder: "authority",
  certificate: "ca.pem",
  key: "ca-key.pem",
} as const;

/** A CA that is kept on disk. */
export interface StoredAuthority extends Authority {
  /** The folder given, such as HAUBERK_HOME; the files are in `authority` below it. */
  readonly directory: string;
  /** Absolute path of the CA certificate: what NODE_EXTRA_CA_CERTS takes. */
  readonly certificateFile: string;
}

/** Options of `loadAuthority`. */
export interface LoadAuthorityOptions {
  /**
   * Folder that keeps the CA.
   *
   * @default authorityDirectory()
   */
  readonly directory?: string | undefined;
  /**
   * Present time, against which the CA has to be valid.
   *
   * @default the system clock
   */
  readonly now?: Date | undefined;
}

const LOAD_KEYS = { directory: true, now: true } satisfies Record<keyof LoadAuthorityOptions, true>;

/**
 * Loads the CA of a folder and checks that it can be used: key and certificate belong together,
 * it is valid at `now`, and nobody else can read the key or replace the files.
 *
 * @throws {CertError} ERR_CERT_AUTHORITY_MISSING when there is none
 * @throws {CertError} ERR_CERT_AUTHORITY_INCOMPLETE when one of the two files is gone
 * @throws {CertError} ERR_CERT_AUTHORITY_INVALID when a file cannot be read as what it should be
 * @throws {CertError} ERR_CERT_AUTHORITY_MISMATCH when the key belongs to another certificate
 * @throws {CertError} ERR_CERT_AUTHORITY_PERMISSIONS when others can read the key or write the folder
 * @throws {CertError} ERR_CERT_AUTHORITY_EXPIRED, ERR_CERT_AUTHORITY_NOT_YET_VALID
 * @throws {CertError} ERR_CERT_STORAGE when the system refuses to read
 */
export async function loadAuthority(options: LoadAuthorityOptions = {}): Promise<StoredAuthority> {
  checkOptionKeys("loadAuthority", options, LOAD_KEYS);
  return loadFrom(
    resolve(pathOption("directory", options.directory) ?? authorityDirectory()),
    dateOption("now", options.now),
  );
}

/** Loads the CA of an absolute folder; see `loadAuthority`. */
export async function loadFrom(directory: string, now: Date): Promise<StoredAuthority> {
  const files = authorityFiles(directory);
  const texts = await readTexts(files);
  await checkPermissions(files);
  const certificate = readOr(files, files.certificateFile, () => readX509(texts.certificate));
  const privateKey = readOr(files, files.keyFile, () => readPrivateKey(texts.key));
  const kind = keyKind(privateKey);
  if (!certificate.ca) {
    const reason = `${quote(files.certificateFile)} is not allowed to sign certificates`;
    throw failure("INVALID", files, reason);
  }
  if (kind === undefined) {
    throw failure("INVALID", files, `keys of kind ${quote(keyName(privateKey))} are not supported`);
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    throw failure(
      "MISMATCH",
      files,
      `${quote(files.keyFile)} does not belong to ${quote(files.certificateFile)}; ` +
        `restore the right one, or ${startAnew(files)}`,
    );
  }
  const authority = toAuthority(certificate, privateKey, kind);
  checkValidity(files, authority, now);
  return { ...authority, directory, certificateFile: files.certificateFile };
}

interface AuthorityFiles {
  readonly directory: string;
  readonly folder: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

function authorityFiles(directory: string): AuthorityFiles {
  const folder = join(directory, AUTHORITY_FILES.folder);
  return {
    directory,
    folder,
    certificateFile: join(folder, AUTHORITY_FILES.certificate),
    keyFile: join(folder, AUTHORITY_FILES.key),
  };
}

async function readTexts(
  files: AuthorityFiles,
  isSecondLook: boolean = false,
): Promise<{ certificate: string; key: string }> {
  const certificate = await readFileIfPresent(files.certificateFile);
  const key = await readFileIfPresent(files.keyFile);
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  if (certificate === undefined && key === undefined) {
    throw failure("MISSING", files, `there is none in ${quote(files.folder)}`);
  }
  // The folder may have appeared between the two reads; once it is there it has both files.
  if (!isSecondLook) return readTexts(files, true);
  const missing = certificate === undefined ? files.certificateFile : files.keyFile;
  const reason = `${quote(missing)} is missing; restore it, or ${startAnew(files)}`;
  throw failure("INCOMPLETE", files, reason);
}

async function checkPermissions(files: AuthorityFiles): Promise<void> {
  const keyMode = await permissions(files.keyFile);
  if (keyMode !== undefined && (keyMode & 0o077) !== 0) {
    throw failure(
      "PERMISSIONS",
      files,
      `others may use ${quote(files.keyFile)} (mode ${keyMode.toString(8)}); ` +
        `if nobody did, run chmod 600 on it, else ${startAnew(files)}`,
    );
  }
  const folderMode = await permissions(files.folder);
  if (folderMode !== undefined && (folderMode & 0o022) !== 0) {
    throw failure(
      "PERMISSIONS",
      files,
      `others may replace files in ${quote(files.folder)} (mode ${folderMode.toString(8)}); ` +
        "run chmod 700 on it",
    );
  }
}

function readOr<T>(files: AuthorityFiles, file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const reason = `${quote(file)} is damaged or encrypted; restore it, or ${startAnew(files)}`;
    throw failure("INVALID", files, reason, { cause });
  }
}

function checkValidity(files: AuthorityFiles, authority: Authority, now: Date): void {
  if (now > authority.notAfter) {
    const reason = `it expired on ${authority.notAfter.toISOString()}; ${startAnew(files)}`;
    throw failure("EXPIRED", files, reason);
  }
  if (now < authority.notBefore) {
    const reason = `it starts on ${authority.notBefore.toISOString()}; check the clock`;
    throw failure("NOT_YET_VALID", files, reason);
  }
}

function startAnew({ folder }: AuthorityFiles): string {
  return `remove ${quote(folder)} to start anew, and trust the new CA`;
}

type AuthorityFault = CertErrorCode extends infer Code
  ? Code extends `ERR_CERT_AUTHORITY_${infer Fault}`
    ? Fault
    : never
  : never;

function failure(
  fault: AuthorityFault,
  { directory }: AuthorityFiles,
  reason: string,
  options?: ErrorOptions,
): CertError {
  return new CertError(
    `ERR_CERT_AUTHORITY_${fault}`,
    `Cannot use the CA in ${quote(directory)}: ${reason}`,
    options,
  );
}
