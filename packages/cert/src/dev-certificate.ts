import type { KeyObject, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { readCertificate } from "./certificate-reader.ts";
import {
  devCertificateSettings,
  type DevCertificateOptions,
  type DevCertificateSettings,
} from "./dev-certificate-options.ts";
import { ATTRIBUTE, readDistinguishedName } from "./distinguished-name.ts";
import { CertError } from "./errors.ts";
import {
  createDirectory,
  makePrivate,
  PUBLIC_FILE_MODE,
  readFileIfPresent,
  writeFileAtomic,
} from "./file-storage.ts";
import { readX509, validity } from "./inspect.ts";
import { issueCertificate, PURPOSE_USAGES } from "./issue.ts";
import { keyKind, readPrivateKey } from "./key-pair.ts";
import { withLock } from "./lock-file.ts";
import { findAuthority, type FoundAuthority } from "./open-authority.ts";
import { isUnsettled, replacePair, settlePair } from "./pair-storage.ts";
import { quote } from "./quote.ts";
import { needsRenewal, type Validity } from "./renewal.ts";
import type { StoredAuthority } from "./stored-authority.ts";
import type { SubjectName } from "./subject-names.ts";

const LOCK_FILE = ".hauberk.lock";

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

type StoredPair = Pick<DevCertificate, "key" | "cert" | "notBefore" | "notAfter">;

/**
 * Returns a certificate for `names` from the development CA of this user, making the CA first when
 * there is none. Keeps it in a folder and reuses it while it is signed by that CA, has its key, covers
 * exactly these names, is for the same purpose and organization and has more than a third of its life
 * left; otherwise renews it in place. The certificate on disk always belongs to the key beside it, also
 * after a crash and with several processes at work. The CA is not opened to reuse a certificate, so a
 * passphrase is needed only to issue one.
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
  const settings = devCertificateSettings(names, options);
  const { directory, force, lock } = settings;
  const authority = await findAuthority({
    directory: settings.authorityDirectory,
    name: settings.authorityName,
    passphrase: settings.passphrase,
    now: settings.now,
    lockTimeoutMs: lock.timeoutMs,
    signal: lock.signal,
  });
  const lockFile = join(directory, LOCK_FILE);
  if (await isUnsettled(settings)) await withLock(lockFile, lock, () => settlePair(settings));
  const present = force ? undefined : await readReusablePair(settings, authority);
  if (present !== undefined) return toDevCertificate(settings, authority, present, "reused");

  // Before the lock is taken: somebody may have to type a passphrase.
  const signer = await authority.open();
  await createDirectory(directory);
  return withLock(lockFile, lock, async () => {
    await settlePair(settings);
    const winner = force ? undefined : await readReusablePair(settings, authority);
    if (winner !== undefined) return toDevCertificate(settings, authority, winner, "reused");
    const isRenewal = (await readFileIfPresent(settings.certFile)) !== undefined;
    const pair = await writePair(settings, signer);
    return toDevCertificate(settings, authority, pair, isRenewal ? "renewed" : "created");
  });
}

/** Returns the stored pair if it is good for these settings, protecting a key that others could read. */
async function readReusablePair(
  settings: DevCertificateSettings,
  authority: FoundAuthority,
): Promise<StoredPair | undefined> {
  const cert = await readFileIfPresent(settings.certFile);
  const key = await readFileIfPresent(settings.keyFile);
  if (cert === undefined || key === undefined) return undefined;
  try {
    const certificate = readX509(cert);
    const isGood =
      isPairFor(settings, certificate, readPrivateKey(key)) &&
      isTimely(settings, validity(certificate)) &&
      isIssuedBy(authority, certificate);
    if (!isGood) return undefined;
    await makePrivate(settings.keyFile);
    return { key, cert, ...validity(certificate) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isPairFor(
  settings: DevCertificateSettings,
  certificate: X509Certificate,
  key: KeyObject,
): boolean {
  const { subject, subjectNames, extendedKeyUsages = [] } = readCertificate(certificate);
  const organizations = readDistinguishedName(subject)
    .filter(({ type }) => type === ATTRIBUTE.organization)
    .map(({ value }) => value);
  return (
    certificate.checkPrivateKey(key) &&
    (settings.key === undefined || keyKind(key) === settings.key) &&
    isSameSet(subjectNames.map(nameKey), settings.names.map(nameKey)) &&
    isSameSet(extendedKeyUsages, PURPOSE_USAGES[settings.purpose]) &&
    isSameSet(organizations, [settings.organization])
  );
}

function isTimely(settings: DevCertificateSettings, period: Validity): boolean {
  const { now, expired, maxLifetimeMs } = settings;
  if (expired) return period.notAfter < now;
  const lifetimeMs = period.notAfter.getTime() - period.notBefore.getTime();
  return period.notBefore <= now && lifetimeMs <= maxLifetimeMs && !needsRenewal(period, now);
}

function isIssuedBy(authority: FoundAuthority, certificate: X509Certificate): boolean {
  const issuer = authority.certificate;
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** Issues and stores. The key on disk is kept if it can be, so that one rename renews the pair. */
async function writePair(
  settings: DevCertificateSettings,
  authority: StoredAuthority,
): Promise<StoredPair> {
  const { certFile, keyFile } = settings;
  const stored = await readStoredKey(keyFile);
  const storedKind = stored === undefined ? undefined : keyKind(stored);
  const isKept = storedKind !== undefined && (settings.key ?? storedKind) === storedKind;
  const { days, longLived, expired, purpose, organization, now } = settings;
  const { cert, key, notBefore, notAfter } = await issueCertificate(authority, {
    names: settings.names.map(({ value }) => value),
    key: isKept ? stored : settings.key,
    days,
    longLived,
    expired,
    purpose,
    organization,
    now,
  });
  if (isKept) {
    await makePrivate(keyFile);
    await writeFileAtomic(certFile, cert, PUBLIC_FILE_MODE);
  } else {
    await replacePair(settings, { cert, key });
  }
  return { key, cert, notBefore, notAfter };
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
  { certFile, keyFile, names }: DevCertificateSettings,
  authority: FoundAuthority,
  pair: StoredPair,
  status: DevCertificate["status"],
): DevCertificate {
  return {
    ...pair,
    ca: authority.pem,
    certFile,
    keyFile,
    caFile: authority.files.certFile,
    names: names.map(({ value }) => value),
    status,
    authorityCreated: authority.created,
  };
}

function isSameSet(some: readonly string[], others: readonly string[]): boolean {
  const set = new Set(others);
  return some.length === set.size && some.every((one) => set.has(one));
}

function nameKey({ type, value }: SubjectName): string {
  return `${type}:${value}`;
}
