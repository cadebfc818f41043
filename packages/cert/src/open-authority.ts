import type { KeyObject } from "node:crypto";
import { AUTHORITY_FILE, isAside, type AuthorityFiles } from "./authority-files.ts";
import { generateAuthority } from "./authority.ts";
import { readCertificate } from "./certificate-reader.ts";
import { toEncryptedPem } from "./encrypted-key.ts";
import { CertError } from "./errors.ts";
import {
  createDirectory,
  createDirectoryAtomic,
  PRIVATE_FILE_MODE,
  PUBLIC_FILE_MODE,
  removeLeftovers,
} from "./file-storage.ts";
import { keyKindOption, toPrivateKeyPem, type KeyKind } from "./key-pair.ts";
import { withLock, type LockOptions } from "./lock-file.ts";
import { constraintsFor, notPermitted, type PermittedNames } from "./name-constraints.ts";
import { checkOptionKeys, dateOption, integerOption } from "./options.ts";
import { isUnsettled, settlePair } from "./pair-storage.ts";
import { passphraseOption, resolvePassphrase, type Passphrase } from "./passphrase.ts";
import { quote } from "./quote.ts";
import {
  authorityLocation,
  noAuthority,
  readAuthority,
  type LoadAuthorityOptions,
  type SealedAuthority,
  type StoredAuthority,
} from "./stored-authority.ts";

/** A stored CA and whether this call made it. */
export interface OpenedAuthority extends StoredAuthority {
  readonly created: boolean;
}

/** Options of `openAuthority`. */
export interface OpenAuthorityOptions extends LoadAuthorityOptions {
  /**
   * Opens an encrypted key, and encrypts the key of a CA that has to be created.
   *
   * @default none: a new key is not encrypted
   */
  readonly passphrase?: Passphrase | undefined;
  /**
   * Kind of key if the CA has to be created; one that exists keeps its own.
   *
   * @default "p256"
   */
  readonly key?: KeyKind | undefined;
  /**
   * What the CA may sign if it has to be created, `false` for everything; one that exists must permit
   * at least as much.
   *
   * @default DEVELOPMENT_NAMES for a new CA, anything for one that exists
   * @see RFC 5280 section 4.2.1.10
   */
  readonly nameConstraints?: PermittedNames | false | undefined;
  /**
   * Longest wait for another process that is creating the CA. Milliseconds, integer 0 to 600000.
   *
   * @default 10000
   */
  readonly lockTimeoutMs?: number | undefined;
  /** Ends the wait for another process. */
  readonly signal?: AbortSignal | undefined;
}

const OPEN_KEYS = {
  directory: true,
  name: true,
  passphrase: true,
  now: true,
  key: true,
  nameConstraints: true,
  lockTimeoutMs: true,
  signal: true,
} satisfies Record<keyof OpenAuthorityOptions, true>;

/**
 * Loads a CA, or creates it when there is none. Any number of processes may do so at once: one creates
 * it, all get the same. A CA that is damaged is never replaced.
 *
 * @throws {TypeError | RangeError} If an option is unknown, malformed or out of range
 * @throws {CertError} as `loadAuthority` does, but for ERR_CERT_AUTHORITY_MISSING
 * @throws {CertError} ERR_CERT_NAME_NOT_PERMITTED when it exists and permits less than `nameConstraints`
 * @throws {CertError} ERR_CERT_LOCKED when another process is creating it for too long
 */
export async function openAuthority(options: OpenAuthorityOptions = {}): Promise<OpenedAuthority> {
  const { open, created } = await findAuthority(options);
  return { ...(await open()), created };
}

/** A CA on disk; its key is read, and a passphrase asked for, only when it is opened. */
export interface FoundAuthority extends Omit<SealedAuthority, "open"> {
  readonly created: boolean;
  readonly open: () => Promise<StoredAuthority>;
}

/** Finds or creates a CA as `openAuthority` does, without opening an encrypted key. */
export async function findAuthority(options: OpenAuthorityOptions): Promise<FoundAuthority> {
  const settings = parseSettings(options);
  const { files, passphrase } = settings;
  const present = await find(settings);
  if (present !== undefined && !(await isUnsettled(files))) return present;
  settings.lock.signal?.throwIfAborted();
  if (present === undefined && isAside(files.name)) throw noAuthority(files);
  const secret = present === undefined ? await resolvePassphrase(passphrase, "encrypt") : undefined;
  await createDirectory(files.directory);
  return withLock(files.lockFile, settings.lock, async () => {
    if (present !== undefined) await settlePair(files);
    return (await find(settings)) ?? (await create(settings, secret));
  });
}

export function lockTimeoutOption(value: number | undefined): number {
  return integerOption("lockTimeoutMs", value, { fallback: 10_000, min: 0, max: 600_000 });
}

interface Settings {
  readonly files: AuthorityFiles;
  readonly key: KeyKind | undefined;
  readonly nameConstraints: PermittedNames | false | undefined;
  readonly passphrase: Passphrase | undefined;
  readonly now: Date;
  readonly lock: LockOptions;
}

function parseSettings(options: OpenAuthorityOptions): Settings {
  checkOptionKeys("openAuthority", options, OPEN_KEYS);
  const { nameConstraints, signal } = options;
  if (nameConstraints !== undefined && nameConstraints !== false) constraintsFor(nameConstraints);
  return {
    files: authorityLocation(options),
    key: keyKindOption("key", options.key),
    nameConstraints,
    passphrase: passphraseOption("passphrase", options.passphrase),
    now: dateOption("now", options.now),
    lock: { timeoutMs: lockTimeoutOption(options.lockTimeoutMs), signal },
  };
}

async function find(settings: Settings): Promise<FoundAuthority | undefined> {
  const { files, now, passphrase } = settings;
  try {
    const sealed = await readAuthority(files, now);
    requirePermitted(sealed, settings.nameConstraints);
    return { ...sealed, created: false, open: () => sealed.open(passphrase) };
  } catch (error) {
    if (error instanceof CertError && error.code === "ERR_CERT_AUTHORITY_MISSING") return undefined;
    throw error;
  }
}

async function create(settings: Settings, secret: string | undefined): Promise<FoundAuthority> {
  const { files, key, nameConstraints, now, passphrase } = settings;
  await removeLeftovers(files.directory, files.name);
  const { authority, privateKey } = await generateAuthority({ key, nameConstraints, now });
  const keyText = await toStoredKey(privateKey, secret);
  const created = await createDirectoryAtomic(files.folder, [
    { name: AUTHORITY_FILE.key, text: keyText, mode: PRIVATE_FILE_MODE },
    { name: AUTHORITY_FILE.certificate, text: authority.certificate, mode: PUBLIC_FILE_MODE },
  ]);
  const sealed = await readAuthority(files, now);
  return { ...sealed, created, open: () => sealed.open(created ? secret : passphrase) };
}

/** Returns the text of a key file: encrypted if there is a passphrase. */
export async function toStoredKey(key: KeyObject, secret: string | undefined): Promise<string> {
  return secret === undefined ? toPrivateKeyPem(key) : toEncryptedPem(key, secret);
}

function requirePermitted(
  { files, certificate }: SealedAuthority,
  wanted: PermittedNames | false | undefined,
): void {
  const { nameConstraints } = readCertificate(certificate);
  if (wanted === undefined || nameConstraints === undefined) return;
  const refused = wanted === false ? ["every name"] : notPermitted(nameConstraints, wanted);
  if (refused.length === 0) return;
  throw new CertError(
    "ERR_CERT_NAME_NOT_PERMITTED",
    `Cannot widen the CA in ${quote(files.folder)}: it may not sign ${refused.join(", ")}, and what a ` +
      "CA may sign is fixed when it is made; rotate it, or make another one under its own name",
  );
}
