import type { KeyObject, X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { authorityDirectory } from "./authority-directory.ts";
import { authorityFiles, authorityNameOption, type AuthorityFiles } from "./authority-files.ts";
import { toAuthority, type Authority } from "./authority.ts";
import { isEncryptedPem } from "./encrypted-key.ts";
import { CertError, type CertErrorCode } from "./errors.ts";
import { access, foreignOwner, readFileIfPresent } from "./file-storage.ts";
import { readX509, validity } from "./inspect.ts";
import { keyKind, keyName, readPrivateKey } from "./key-pair.ts";
import { checkOptionKeys, dateOption, pathOption } from "./options.ts";
import { passphraseOption, resolvePassphrase, type Passphrase } from "./passphrase.ts";
import { toPem } from "./pem.ts";
import { quote } from "./quote.ts";
import type { Validity } from "./renewal.ts";

/** A CA that is kept on disk. */
export interface StoredAuthority extends Authority {
  /** The folder given, such as HAUBERK_HOME; the files are in a folder `name` below it. */
  readonly directory: string;
  readonly name: string;
  /** Absolute path of the CA certificate: what NODE_EXTRA_CA_CERTS takes. */
  readonly certificateFile: string;
  /** Absolute path of the private key. */
  readonly keyFile: string;
  /** Whether a passphrase protects the key on disk. */
  readonly encrypted: boolean;
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
   * Which of the CAs in that folder: 1 to 63 small letters, digits and hyphens.
   *
   * @default "authority"
   */
  readonly name?: string | undefined;
  /** Opens an encrypted key; not asked for one that is not encrypted. */
  readonly passphrase?: Passphrase | undefined;
  /**
   * Present time, against which the CA has to be valid.
   *
   * @default the system clock
   */
  readonly now?: Date | undefined;
}

const LOAD_KEYS = {
  directory: true,
  name: true,
  passphrase: true,
  now: true,
} satisfies Record<keyof LoadAuthorityOptions, true>;

/**
 * Loads a CA and checks that it can be used: key and certificate belong together, it is valid at `now`,
 * and nobody else can read the key or replace the files.
 * An encrypted key takes about 0.13 s to open, during which the process does nothing else.
 *
 * @throws {CertError} ERR_CERT_AUTHORITY_MISSING when there is none
 * @throws {CertError} ERR_CERT_AUTHORITY_INCOMPLETE when one of the two files is gone
 * @throws {CertError} ERR_CERT_AUTHORITY_INVALID when a file cannot be read as what it should be
 * @throws {CertError} ERR_CERT_AUTHORITY_MISMATCH when the key belongs to another certificate
 * @throws {CertError} ERR_CERT_AUTHORITY_PASSPHRASE when the passphrase is missing or wrong
 * @throws {CertError} ERR_CERT_AUTHORITY_PERMISSIONS when others can read the key or write the folder
 * @throws {CertError} ERR_CERT_AUTHORITY_EXPIRED, ERR_CERT_AUTHORITY_NOT_YET_VALID
 * @throws {CertError} ERR_CERT_STORAGE when the system refuses to read
 */
export async function loadAuthority(options: LoadAuthorityOptions = {}): Promise<StoredAuthority> {
  checkOptionKeys("loadAuthority", options, LOAD_KEYS);
  const files = authorityLocation(options);
  const passphrase = passphraseOption("passphrase", options.passphrase);
  const sealed = await readAuthority(files, dateOption("now", options.now));
  return sealed.open(passphrase);
}

/**
 * Returns where the CA of `directory` and `name` is kept.
 *
 * @throws {TypeError} If one of them is malformed
 */
export function authorityLocation(
  options: Pick<LoadAuthorityOptions, "directory" | "name">,
): AuthorityFiles {
  return authorityFiles(
    resolve(pathOption("directory", options.directory) ?? authorityDirectory()),
    authorityNameOption("name", options.name),
  );
}

/** A CA on disk whose certificate is known and whose key, if encrypted, is still closed. */
export interface SealedAuthority {
  readonly files: AuthorityFiles;
  readonly certificate: X509Certificate;
  /** The certificate in PEM. */
  readonly pem: string;
  readonly open: (passphrase: Passphrase | undefined) => Promise<StoredAuthority>;
}

/** Reads and checks a CA as `loadAuthority` does, up to the point where a passphrase is needed. */
export async function readAuthority(files: AuthorityFiles, now: Date): Promise<SealedAuthority> {
  const texts = await readTexts(files);
  await checkAccess(files);
  const certificate = readOr(files, files.certFile, () => readX509(texts.certificate));
  if (!certificate.ca) {
    const reason = `${quote(files.certFile)} is not allowed to sign certificates`;
    throw authorityError("INVALID", files, reason);
  }
  const encrypted = isEncryptedPem(texts.key);
  const complete = (privateKey: KeyObject): StoredAuthority =>
    stored(files, certificate, privateKey, encrypted);
  const opened = encrypted
    ? undefined
    : complete(readOr(files, files.keyFile, () => readPrivateKey(texts.key)));
  checkValidity(files, validity(certificate), now);
  return {
    files,
    certificate,
    pem: toPem("CERTIFICATE", certificate.raw),
    open: async (passphrase) => opened ?? complete(await decrypt(files, texts.key, passphrase)),
  };
}

function stored(
  files: AuthorityFiles,
  certificate: X509Certificate,
  privateKey: KeyObject,
  encrypted: boolean,
): StoredAuthority {
  const kind = keyKind(privateKey);
  if (kind === undefined) {
    const reason = `keys of kind ${quote(keyName(privateKey))} are not supported`;
    throw authorityError("INVALID", files, reason);
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    throw authorityError(
      "MISMATCH",
      files,
      `${quote(files.keyFile)} does not belong to ${quote(files.certFile)}; ` +
        `restore the right one, or ${startAnew(files)}`,
    );
  }
  const { directory, name, certFile: certificateFile, keyFile } = files;
  const authority = toAuthority(certificate, privateKey, kind);
  return { ...authority, directory, name, certificateFile, keyFile, encrypted };
}

async function decrypt(
  files: AuthorityFiles,
  pem: string,
  source: Passphrase | undefined,
): Promise<KeyObject> {
  const passphrase = await resolvePassphrase(source, "decrypt");
  if (passphrase === undefined) {
    const reason = `${quote(files.keyFile)} is encrypted, and no passphrase is given`;
    throw authorityError("PASSPHRASE", files, reason);
  }
  try {
    return readPrivateKey(pem, passphrase);
  } catch (cause) {
    const reason = `the passphrase does not open ${quote(files.keyFile)}`;
    throw authorityError("PASSPHRASE", files, reason, { cause });
  }
}

async function readTexts(
  files: AuthorityFiles,
  isSecondLook: boolean = false,
): Promise<{ certificate: string; key: string }> {
  const certificate = await readFileIfPresent(files.certFile);
  const key = await readFileIfPresent(files.keyFile);
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  if (certificate === undefined && key === undefined) {
    throw noAuthority(files);
  }
  // The folder may have appeared between the two reads; once it is there it has both files.
  if (!isSecondLook) return readTexts(files, true);
  const missing = certificate === undefined ? files.certFile : files.keyFile;
  const reason = `${quote(missing)} is missing; restore it, or ${startAnew(files)}`;
  throw authorityError("INCOMPLETE", files, reason);
}

async function checkAccess(files: AuthorityFiles): Promise<void> {
  const key = await access(files.keyFile);
  if (key !== undefined && (key.mode & 0o077) !== 0) {
    throw authorityError(
      "PERMISSIONS",
      files,
      `others may use ${quote(files.keyFile)} (mode ${key.mode.toString(8)}); ` +
        `if nobody did, run chmod 600 on it, else ${startAnew(files)}`,
    );
  }
  const folder = await access(files.folder);
  if (folder !== undefined && (folder.mode & 0o022) !== 0) {
    throw authorityError(
      "PERMISSIONS",
      files,
      `others may replace files in ${quote(files.folder)} (mode ${folder.mode.toString(8)}); ` +
        "run chmod 700 on it",
    );
  }
  const owner = [key, folder].map(foreignOwner).find((uid) => uid !== undefined);
  // Root reads everybody's files, as under sudo; anybody else got at this key by an access list.
  if (owner !== undefined && process.getuid?.() !== 0) {
    const reason = `${quote(files.folder)} or its key belongs to user ${owner}; run chown on both`;
    throw authorityError("PERMISSIONS", files, reason);
  }
}

function readOr<T>(files: AuthorityFiles, file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const reason = `${quote(file)} is damaged; restore it, or ${startAnew(files)}`;
    throw authorityError("INVALID", files, reason, { cause });
  }
}

function checkValidity(files: AuthorityFiles, period: Validity, now: Date): void {
  if (now > period.notAfter) {
    const reason = `it expired on ${period.notAfter.toISOString()}; ${startAnew(files)}`;
    throw authorityError("EXPIRED", files, reason);
  }
  if (now < period.notBefore) {
    const reason = `it starts on ${period.notBefore.toISOString()}; check the clock`;
    throw authorityError("NOT_YET_VALID", files, reason);
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

export function noAuthority(files: AuthorityFiles): CertError {
  return authorityError("MISSING", files, `there is none in ${quote(files.folder)}`);
}

/** Returns an error that names the folder of the CA and what to do. */
export function authorityError(
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
