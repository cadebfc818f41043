import { X509Certificate, type KeyObject } from "node:crypto";
import { basename, join, resolve } from "node:path";
import { lockTimeoutOption, openAuthority, type OpenedAuthority } from "./open-authority.ts";
import { certificateFiles, type CertificateFiles } from "./certificate-files.ts";
import { readCertificate } from "./certificate-reader.ts";
import { CertError } from "./errors.ts";
import {
  createDirectory,
  makePrivate,
  PRIVATE_FILE_MODE,
  PUBLIC_FILE_MODE,
  readFileIfPresent,
  removeFile,
  removeLeftovers,
  writeFileAtomic,
} from "./file-storage.ts";
import { readX509, validity } from "./inspect.ts";
import { issueCertificate } from "./issue.ts";
import { keyKind, keyKindOption, readPrivateKey, type KeyKind } from "./key-pair.ts";
import { withLock } from "./lock-file.ts";
import {
  booleanOption,
  checkOptionKeys,
  dateOption,
  integerOption,
  pathOption,
} from "./options.ts";
import { quote } from "./quote.ts";
import { needsRenewal, type Validity } from "./renewal.ts";
import { parseSubjectNames, type SubjectName } from "./subject-names.ts";

const LOCK_FILE = ".hauberk.lock";

/** Options of `devCertificate`. */
export interface DevCertificateOptions {
  /**
   * Folder for the certificate and its key; created when it is not there.
   *
   * @default "certs-dev" in the working directory
   */
  readonly directory?: string | undefined;
  /**
   * Folder that keeps the CA.
   *
   * @default authorityDirectory()
   */
  readonly authorityDirectory?: string | undefined;
  /**
   * Kind of key; a stored key of another kind is replaced.
   *
   * @default the kind of the stored key, else "p256"
   */
  readonly key?: KeyKind | undefined;
  /**
   * Lifetime of a new certificate in days, integer 1 to 825. Does not touch one that is still good.
   *
   * @default 90
   */
  readonly days?: number | undefined;
  /**
   * Issue a new certificate even if the stored one is good; its key stays (remove it for a new one).
   *
   * @default false
   */
  readonly force?: boolean | undefined;
  /**
   * Present time.
   *
   * @default the system clock
   */
  readonly now?: Date | undefined;
  /**
   * Longest wait for another process that works on the same folder.
   * Milliseconds, integer 0 to 600000.
   *
   * @default 10000
   */
  readonly lockTimeoutMs?: number | undefined;
  /** Ends the wait for another process. */
  readonly signal?: AbortSignal | undefined;
}

const OPTION_KEYS = {
  directory: true,
  authorityDirectory: true,
  key: true,
  days: true,
  force: true,
  now: true,
  lockTimeoutMs: true,
  signal: true,
} satisfies Record<keyof DevCertificateOptions, true>;

/** A certificate for development, as kept on disk. */
export interface DevCertificate extends Validity {
  /** Private key, PEM. */
  readonly key: string;
  /** Certificate, PEM. */
  readonly cert: string;
  /** Certificate of the CA, PEM: what clients have to trust. */
  readonly ca: string;
  /** Absolute paths. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  /** The names in canonical form. */
  readonly names: readonly string[];
  /** "created" when there was no certificate file, "renewed" when one was replaced. */
  readonly status: "created" | "renewed" | "reused";
  /** Whether this call made the CA: it has to be trusted then. */
  readonly authorityCreated: boolean;
}

interface Settings extends CertificateFiles {
  readonly names: readonly SubjectName[];
  readonly directory: string;
  readonly authorityDirectory: string | undefined;
  readonly key: KeyKind | undefined;
  readonly days: number;
  readonly force: boolean;
  readonly now: Date;
  readonly lockTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

type StoredPair = Pick<DevCertificate, "key" | "cert" | "notBefore" | "notAfter">;

/**
 * Returns a certificate for `names` from the development CA of this user, making the CA first when
 * there is none. Keeps it in a folder and reuses it while it is signed by that CA, has its key, covers
 * exactly these names and has more than a third of its life left; otherwise renews it in place.
 * The certificate on disk always belongs to the key beside it, also after a crash and with several
 * processes at work.
 *
 * @throws {TypeError} If a name or an option is malformed
 * @throws {RangeError} If a number is out of range
 * @throws {CertError} ERR_CERT_NAME_NOT_PERMITTED when the CA is not allowed to sign a name
 * @throws {CertError} ERR_CERT_KEY_INVALID when the key file holds something else
 * @throws {CertError} ERR_CERT_LOCKED when another process works on the folder for too long
 * @throws {CertError} ERR_CERT_STORAGE when the system refuses to read or write
 * @throws {CertError} what `openAuthority` throws
 */
export async function devCertificate(
  names: readonly string[],
  options: DevCertificateOptions = {},
): Promise<DevCertificate> {
  const settings = parseSettings(names, options);
  const { force, now, lockTimeoutMs, signal } = settings;
  const authority = await openAuthority({
    directory: settings.authorityDirectory,
    now,
    lockTimeoutMs,
    signal,
  });
  const present = force ? undefined : await readReusablePair(settings, authority);
  if (present !== undefined) return toDevCertificate(settings, authority, present, "reused");

  await createDirectory(settings.directory);
  const lock = join(settings.directory, LOCK_FILE);
  return withLock(lock, { timeoutMs: lockTimeoutMs, signal }, async () => {
    const winner = force ? undefined : await readReusablePair(settings, authority);
    if (winner !== undefined) return toDevCertificate(settings, authority, winner, "reused");
    const isRenewal = (await readFileIfPresent(settings.certFile)) !== undefined;
    const pair = await writePair(settings, authority);
    return toDevCertificate(settings, authority, pair, isRenewal ? "renewed" : "created");
  });
}

function parseSettings(names: readonly string[], options: DevCertificateOptions): Settings {
  checkOptionKeys("devCertificate", options, OPTION_KEYS);
  const parsed = parseSubjectNames(names);
  const directory = resolve(pathOption("directory", options.directory) ?? "certs-dev");
  return {
    names: parsed,
    directory,
    ...certificateFiles(directory, parsed),
    authorityDirectory: pathOption("authorityDirectory", options.authorityDirectory),
    key: keyKindOption("key", options.key),
    days: integerOption("days", options.days, { fallback: 90, min: 1, max: 825 }),
    force: booleanOption("force", options.force),
    now: dateOption("now", options.now),
    lockTimeoutMs: lockTimeoutOption(options.lockTimeoutMs),
    signal: options.signal,
  };
}

/** Returns the stored pair if it is good for these settings, protecting a key that others could read. */
async function readReusablePair(
  settings: Settings,
  authority: OpenedAuthority,
): Promise<StoredPair | undefined> {
  const cert = await readFileIfPresent(settings.certFile);
  const key = await readFileIfPresent(settings.keyFile);
  if (cert === undefined || key === undefined) return undefined;
  try {
    const certificate = readX509(cert);
    const period = validity(certificate);
    const isGood =
      isPairFor(settings, certificate, readPrivateKey(key)) &&
      isIssuedBy(authority, certificate) &&
      period.notBefore <= settings.now &&
      !needsRenewal(period, settings.now);
    if (!isGood) return undefined;
    await makePrivate(settings.keyFile);
    return { key, cert, ...period };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isPairFor(settings: Settings, certificate: X509Certificate, key: KeyObject): boolean {
  const covered = readCertificate(certificate).subjectNames.map(nameKey);
  const wanted = new Set(settings.names.map(nameKey));
  return (
    certificate.checkPrivateKey(key) &&
    (settings.key === undefined || keyKind(key) === settings.key) &&
    covered.length === wanted.size &&
    covered.every((name) => wanted.has(name))
  );
}

function isIssuedBy(authority: OpenedAuthority, certificate: X509Certificate): boolean {
  const issuer = new X509Certificate(authority.certificate);
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** Issues and stores. The key on disk is kept if it can be, so that one rename renews the pair. */
async function writePair(settings: Settings, authority: OpenedAuthority): Promise<StoredPair> {
  const { certFile, keyFile, days, now } = settings;
  await removeLeftovers(settings.directory, basename(certFile));
  await removeLeftovers(settings.directory, basename(keyFile));
  const stored = await readStoredKey(keyFile);
  const storedKind = stored === undefined ? undefined : keyKind(stored);
  const isKept = storedKind !== undefined && (settings.key ?? storedKind) === storedKind;
  const names = settings.names.map(({ value }) => value);
  const key = isKept ? stored : settings.key;
  const {
    cert,
    key: keyPem,
    ...issued
  } = await issueCertificate(authority, { names, key, days, now });
  if (isKept) {
    await makePrivate(keyFile);
  } else {
    // Two files cannot change in one step: a crash may leave a key alone, never a foreign certificate.
    await removeFile(certFile);
    await writeFileAtomic(keyFile, keyPem, PRIVATE_FILE_MODE);
  }
  await writeFileAtomic(certFile, cert, PUBLIC_FILE_MODE);
  return { key: keyPem, cert, notBefore: issued.notBefore, notAfter: issued.notAfter };
}

async function readStoredKey(keyFile: string): Promise<KeyObject | undefined> {
  const text = await readFileIfPresent(keyFile);
  if (text === undefined) return undefined;
  try {
    return readPrivateKey(text);
  } catch (cause) {
    throw new CertError(
      "ERR_CERT_KEY_INVALID",
      `Cannot use the key in ${quote(keyFile)}: it is damaged or encrypted; remove it to have a new one made`,
      { cause },
    );
  }
}

function toDevCertificate(
  { certFile, keyFile, names }: Settings,
  authority: OpenedAuthority,
  pair: StoredPair,
  status: DevCertificate["status"],
): DevCertificate {
  return {
    ...pair,
    ca: authority.certificate,
    certFile,
    keyFile,
    caFile: authority.certificateFile,
    names: names.map(({ value }) => value),
    status,
    authorityCreated: authority.created,
  };
}

function nameKey({ type, value }: SubjectName): string {
  return `${type}:${value}`;
}
