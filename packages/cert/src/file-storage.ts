import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CertError } from "./errors.ts";
import { quote } from "./quote.ts";

/** Permission bits: read and write for the owner, nothing for anybody else. */
export const PRIVATE_FILE_MODE = 0o600;
export const PUBLIC_FILE_MODE = 0o644;
const PRIVATE_DIRECTORY_MODE = 0o700;

/** What link() and symlink() answer on exFAT, on some network mounts and, the second, on Windows. */
export const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"] as const;

const TEMPORARY_SUFFIX = ".tmp";

/**
 * Writes a file so that any reader, also after a crash, finds the old content or the new one.
 * The mode is that of the new file, whatever the old one had.
 *
 * @throws {CertError} ERR_CERT_STORAGE when the system refuses; nothing is left behind
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    await writeFileSynced(temporary, content, mode);
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true });
    throw storageError("write", path, cause);
  }
}

/** A file for a new folder. */
export interface NewFile {
  readonly name: string;
  readonly text: string;
  readonly mode: number;
}

/** Creates a folder and its files one after the other; for folders that nobody knows of yet. */
export async function writeDirectory(path: string, files: readonly NewFile[]): Promise<void> {
  await mkdir(path, { mode: PRIVATE_DIRECTORY_MODE });
  for (const { name, text, mode } of files) await writeFileSynced(join(path, name), text, mode);
  await syncDirectory(path);
}

/**
 * Creates a folder with its files in one step: it appears complete or not at all.
 * Returns false, and changes nothing, when the folder is there already and not empty.
 *
 * @throws {CertError} ERR_CERT_STORAGE when the system refuses; nothing is left behind
 */
export async function createDirectoryAtomic(
  path: string,
  files: readonly NewFile[],
): Promise<boolean> {
  const temporary = temporaryPath(path);
  try {
    await writeDirectory(temporary, files);
    await rename(temporary, path);
    await syncDirectory(dirname(path));
    return true;
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    if (hasCode(cause, "ENOTEMPTY", "EEXIST", "EPERM") && (await exists(path))) return false;
    throw storageError("create", path, cause);
  }
}

/** Returns a new name beside `path`, which `removeLeftovers` knows to clear away. */
export function temporaryPath(path: string): string {
  const unique = randomBytes(8).toString("hex");
  return join(dirname(path), `.${basename(path)}.${unique}${TEMPORARY_SUFFIX}`);
}

/** Removes what writes to `target` left in a folder when their process was killed. */
export async function removeLeftovers(directory: string, target: string): Promise<void> {
  try {
    const names = await readdir(directory);
    const leftovers = names.filter(
      (name) => name.startsWith(`.${target}.`) && name.endsWith(TEMPORARY_SUFFIX),
    );
    await Promise.all(
      leftovers.map((name) => rm(join(directory, name), { recursive: true, force: true })),
    );
  } catch (cause) {
    throw storageError("clean", directory, cause);
  }
}

/** Creates a folder and those above it, private to the user; one that exists stays as it is. */
export async function createDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
  } catch (cause) {
    throw storageError("create", path, cause);
  }
}

/** Returns the text of a file, or undefined when there is none. */
export async function readFileIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return undefined;
    throw storageError("read", path, cause);
  }
}

/** Returns the names in a folder; none when there is no such folder. */
export async function listDirectory(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return [];
    throw storageError("read", path, cause);
  }
}

/** Removes a file; one that is not there is no failure. */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (cause) {
    throw storageError("remove", path, cause);
  }
}

/** Who owns a file or folder, and the permission bits. */
export interface Access {
  readonly mode: number;
  readonly uid: number;
}

/** Returns owner and permissions; undefined on Windows, where they mean nothing. */
export async function access(path: string): Promise<Access | undefined> {
  if (process.platform === "win32") return undefined;
  try {
    const { mode, uid } = await stat(path);
    return { mode: mode & 0o777, uid };
  } catch (cause) {
    throw storageError("read", path, cause);
  }
}

/** Returns the owner if that is neither the user of this process nor root. */
export function foreignOwner(found: Access | undefined): number | undefined {
  return found === undefined || found.uid === 0 || found.uid === process.getuid?.()
    ? undefined
    : found.uid;
}

/** Takes the rights of group and others away from a file that has any. */
export async function makePrivate(path: string): Promise<void> {
  const found = await access(path);
  if (found === undefined || (found.mode & 0o077) === 0) return;
  try {
    await chmod(path, PRIVATE_FILE_MODE);
  } catch (cause) {
    throw storageError("protect", path, cause);
  }
}

/** Whether `error` is a system error with one of the codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    codes.includes(error.code)
  );
}

/** Names path and system error, so that the line alone tells what to repair. */
export function storageError(action: string, path: string, cause: unknown): CertError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const user = process.getuid?.();
  const isRefused = user !== undefined && hasCode(cause, "EACCES", "EPERM");
  const reason = isRefused ? `${message}; this process runs as user ${user}` : message;
  return new CertError("ERR_CERT_STORAGE", `Cannot ${action} ${quote(path)}: ${reason}`, { cause });
}

async function writeFileSynced(
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  const file = await open(path, "wx", PRIVATE_FILE_MODE);
  try {
    await file.writeFile(content);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename last through a power failure; Windows has no such call for folders. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Whether there is anything at a path, as far as this process may know. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
