import type { X509Certificate } from "node:crypto";
import {
  asideName,
  AUTHORITY_FILE,
  authorityFiles,
  isAside,
  type AuthorityFiles,
} from "./authority-files.ts";
import { generateAuthority } from "./authority.ts";
import { readCertificate } from "./certificate-reader.ts";
import { isEncryptedPem } from "./encrypted-key.ts";
import {
  createDirectoryAtomic,
  listDirectory,
  PRIVATE_FILE_MODE,
  PUBLIC_FILE_MODE,
  readFileIfPresent,
  removeLeftovers,
} from "./file-storage.ts";
import { readX509 } from "./inspect.ts";
import { keyKindOption, type KeyKind } from "./key-pair.ts";
import { withLock, type LockOptions } from "./lock-file.ts";
import { constraintsFor, DEVELOPMENT_NAMES, type PermittedNames } from "./name-constraints.ts";
import { lockTimeoutOption, toStoredKey, type OpenAuthorityOptions } from "./open-authority.ts";
import { checkOptionKeys, dateOption } from "./options.ts";
import { replacePair, settlePair } from "./pair-storage.ts";
import { passphraseOption, resolvePassphrase, type Passphrase } from "./passphrase.ts";
import { quote } from "./quote.ts";
import {
  authorityError,
  authorityLocation,
  noAuthority,
  readAuthority,
  type StoredAuthority,
} from "./stored-authority.ts";

/** Options of `rotateAuthority`. */
export interface RotateAuthorityOptions extends Omit<OpenAuthorityOptions, "passphrase"> {
  /**
   * Encrypts the new key; `false` stores it unencrypted even if the old one is encrypted.
   *
   * @default none, which is refused when the old key is encrypted
   */
  readonly passphrase?: Passphrase | false | undefined;
  /**
   * Kind of the new key.
   *
   * @default "p256"
   */
  readonly key?: KeyKind | undefined;
  /**
   * What the new CA may sign, `false` for everything.
   *
   * @default what the old one may, or DEVELOPMENT_NAMES when that cannot be read
   */
  readonly nameConstraints?: PermittedNames | false | undefined;
}

const ROTATE_KEYS = {
  directory: true,
  name: true,
  passphrase: true,
  now: true,
  key: true,
  nameConstraints: true,
  lockTimeoutMs: true,
  signal: true,
} satisfies Record<keyof RotateAuthorityOptions, true>;

/** A new CA and the one it took the place of. */
export interface RotatedAuthority extends StoredAuthority {
  /** Under which name the old CA is kept: `loadAuthority({ name })` loads it, if it is good. */
  readonly previousName: string;
  /** The certificate of the old CA in PEM, if it had a readable one. */
  readonly previousCertificate: string | undefined;
}

/**
 * Replaces a CA by a new one and keeps the old one under a name with the present time. Works on a CA
 * that is expired, damaged or incomplete, too. At every moment, also after a crash, the old CA or the
 * new one is in place. The new one has to be trusted anew; `devCertificate` renews the leaves.
 *
 * @throws {TypeError | RangeError} If an option is unknown, malformed or out of range
 * @throws {CertError} ERR_CERT_AUTHORITY_MISSING when there is none
 * @throws {CertError} ERR_CERT_AUTHORITY_PASSPHRASE when the old key is encrypted and `passphrase` is none
 * @throws {CertError} ERR_CERT_LOCKED when another process is at work on it for too long
 * @throws {CertError} ERR_CERT_STORAGE when the system refuses; the old CA stays
 */
export async function rotateAuthority(
  options: RotateAuthorityOptions = {},
): Promise<RotatedAuthority> {
  const settings = parseSettings(options);
  const { files, now, lock } = settings;
  if (isAside(files.name)) {
    throw new TypeError(`name must be that of a CA in use, got ${quote(files.name)}`);
  }
  const secret = await newSecret(files, await readOld(files), settings.passphrase);
  return withLock(files.lockFile, lock, async () => {
    await settlePair(files);
    await removeLeftovers(files.directory, files.name);
    const old = await readOld(files);
    const nameConstraints = settings.nameConstraints ?? inherited(old.certificate);
    const { key } = settings;
    const { authority, privateKey } = await generateAuthority({ key, nameConstraints, now });
    const keyText = await toStoredKey(privateKey, secret);
    const previousName = await putAside(files, old, now);
    await replacePair(files, { cert: authority.certificate, key: keyText });
    const sealed = await readAuthority(files, now);
    return {
      ...(await sealed.open(secret)),
      previousName,
      previousCertificate: old.certificate?.toString(),
    };
  });
}

interface Settings {
  readonly files: AuthorityFiles;
  readonly key: KeyKind | undefined;
  readonly nameConstraints: PermittedNames | false | undefined;
  readonly passphrase: Passphrase | false | undefined;
  readonly now: Date;
  readonly lock: LockOptions;
}

function parseSettings(options: RotateAuthorityOptions): Settings {
  checkOptionKeys("rotateAuthority", options, ROTATE_KEYS);
  const { nameConstraints, passphrase, signal } = options;
  if (nameConstraints !== undefined && nameConstraints !== false) constraintsFor(nameConstraints);
  return {
    files: authorityLocation(options),
    key: keyKindOption("key", options.key),
    nameConstraints,
    passphrase: passphrase === false ? false : passphraseOption("passphrase", passphrase),
    now: dateOption("now", options.now),
    lock: { timeoutMs: lockTimeoutOption(options.lockTimeoutMs), signal },
  };
}

/** What is on disk of a CA, whatever its state. */
interface OldAuthority {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly certificate: X509Certificate | undefined;
}

async function readOld(files: AuthorityFiles): Promise<OldAuthority> {
  const cert = await readFileIfPresent(files.certFile);
  const key = await readFileIfPresent(files.keyFile);
  if (cert === undefined && key === undefined) throw noAuthority(files);
  return { cert, key, certificate: cert === undefined ? undefined : readableX509(cert) };
}

function readableX509(pem: string): X509Certificate | undefined {
  try {
    return readX509(pem);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A rotation must not take the protection away from the key without being told to. */
async function newSecret(
  files: AuthorityFiles,
  { key }: OldAuthority,
  source: Passphrase | false | undefined,
): Promise<string | undefined> {
  if (source === false) return undefined;
  const secret = await resolvePassphrase(source, "encrypt");
  if (secret === undefined && key !== undefined && isEncryptedPem(key)) {
    const reason = `${quote(files.keyFile)} is encrypted, and no passphrase for the new key is given`;
    throw authorityError("PASSPHRASE", files, reason);
  }
  return secret;
}

function inherited(certificate: X509Certificate | undefined): PermittedNames | false {
  if (certificate === undefined) return DEVELOPMENT_NAMES;
  const { nameConstraints } = readCertificate(certificate);
  if (nameConstraints === undefined) return false;
  const { dns, ip } = nameConstraints.permitted;
  return dns.length > 0 && ip.length > 0 ? { dns, ip } : DEVELOPMENT_NAMES;
}

/** Copies the old files into a folder of their own, unless a killed rotation has done so already. */
async function putAside(files: AuthorityFiles, old: OldAuthority, now: Date): Promise<string> {
  const names = await listDirectory(files.directory);
  for (const name of names.filter((candidate) => isAside(candidate, files.name))) {
    const kept = authorityFiles(files.directory, name);
    const cert = await readFileIfPresent(kept.certFile);
    const key = await readFileIfPresent(kept.keyFile);
    if (cert === old.cert && key === old.key) return name;
  }
  const { cert, key } = old;
  const texts = [
    ...(key === undefined
      ? []
      : [{ name: AUTHORITY_FILE.key, text: key, mode: PRIVATE_FILE_MODE }]),
    ...(cert === undefined
      ? []
      : [{ name: AUTHORITY_FILE.certificate, text: cert, mode: PUBLIC_FILE_MODE }]),
  ];
  for (let later = 0; ; later += 1000) {
    const name = asideName(files.name, new Date(now.getTime() + later));
    if (await createDirectoryAtomic(authorityFiles(files.directory, name).folder, texts)) {
      return name;
    }
  }
}
