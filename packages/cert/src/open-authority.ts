import { join, resolve } from "node:path";
import { authorityDirectory } from "./authority-directory.ts";
import { generateAuthority } from "./authority.ts";
import { CertError } from "./errors.ts";
import {
  createDirectory,
  createDirectoryAtomic,
  PRIVATE_FILE_MODE,
  PUBLIC_FILE_MODE,
  removeLeftovers,
} from "./file-storage.ts";
import { keyKindOption, toPrivateKeyPem, type KeyKind } from "./key-pair.ts";
import { withLock } from "./lock-file.ts";
import { checkOptionKeys, dateOption, integerOption, pathOption } from "./options.ts";
import {
  AUTHORITY_FILES,
  loadFrom,
  type LoadAuthorityOptions,
  type StoredAuthority,
} from "./stored-authority.ts";

const LOCK_FILE = "authority.lock";

/** A stored CA and whether this call made it. */
export interface OpenedAuthority extends StoredAuthority {
  readonly created: boolean;
}

/** Options of `openAuthority`. */
export interface OpenAuthorityOptions extends LoadAuthorityOptions {
  /**
   * Kind of key if the CA has to be created; one that exists keeps its own.
   *
   * @default "p256"
   */
  readonly key?: KeyKind | undefined;
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
  now: true,
  key: true,
  lockTimeoutMs: true,
  signal: true,
} satisfies Record<keyof OpenAuthorityOptions, true>;

/**
 * Loads the CA of a folder, or creates it when there is none. Any number of processes may do so at
 * once: one creates it, all get the same. A CA that is damaged is never replaced.
 *
 * @throws {CertError} as `loadAuthority` does, but for ERR_CERT_AUTHORITY_MISSING
 * @throws {CertError} ERR_CERT_LOCKED when another process is creating it for too long
 */
export async function openAuthority(options: OpenAuthorityOptions = {}): Promise<OpenedAuthority> {
  checkOptionKeys("openAuthority", options, OPEN_KEYS);
  const directory = resolve(pathOption("directory", options.directory) ?? authorityDirectory());
  const key = keyKindOption("key", options.key);
  const now = dateOption("now", options.now);
  const timeoutMs = lockTimeoutOption(options.lockTimeoutMs);
  const { signal } = options;

  const present = await loadUnlessMissing(directory, now);
  if (present !== undefined) return { ...present, created: false };
  signal?.throwIfAborted();
  await createDirectory(directory);
  return withLock(join(directory, LOCK_FILE), { timeoutMs, signal }, async () => {
    const winner = await loadUnlessMissing(directory, now);
    if (winner !== undefined) return { ...winner, created: false };
    const created = await create(directory, key, now);
    return { ...(await loadFrom(directory, now)), created };
  });
}

export function lockTimeoutOption(value: number | undefined): number {
  return integerOption("lockTimeoutMs", value, { fallback: 10_000, min: 0, max: 600_000 });
}

/** Returns false when a folder with files stands there already. */
async function create(directory: string, key: KeyKind | undefined, now: Date): Promise<boolean> {
  await removeLeftovers(directory, AUTHORITY_FILES.folder);
  const { authority, privateKey } = await generateAuthority({ key, now });
  const folder = join(directory, AUTHORITY_FILES.folder);
  return createDirectoryAtomic(folder, [
    { name: AUTHORITY_FILES.key, text: toPrivateKeyPem(privateKey), mode: PRIVATE_FILE_MODE },
    { name: AUTHORITY_FILES.certificate, text: authority.certificate, mode: PUBLIC_FILE_MODE },
  ]);
}

async function loadUnlessMissing(
  directory: string,
  now: Date,
): Promise<StoredAuthority | undefined> {
  try {
    return await loadFrom(directory, now);
  } catch (error) {
    if (error instanceof CertError && error.code === "ERR_CERT_AUTHORITY_MISSING") return undefined;
    throw error;
  }
}
