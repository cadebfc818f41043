import { lstat, readlink, rename, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { CertificateFiles } from "./certificate-files.ts";
import { CertError } from "./errors.ts";
import {
  hasCode,
  NO_LINKS,
  PRIVATE_FILE_MODE,
  PUBLIC_FILE_MODE,
  readFileIfPresent,
  removeFile,
  removeLeftovers,
  storageError,
  syncDirectory,
  temporaryPath,
  writeDirectory,
} from "./file-storage.ts";

/** A certificate and the private key that belongs to it, both PEM. */
export interface PairTexts {
  readonly cert: string;
  readonly key: string;
}

/** Names of the two files in a folder that holds one state of a pair. */
const CERT = "cert.pem";
const KEY = "key.pem";

/**
 * Puts a new key and its certificate in the place of the old ones. Whoever looks at the two paths finds
 * the old pair or the new one, also after a crash at any point; the caller holds the lock.
 *
 * Two files cannot change in one step, one symbolic link can: for the moment of the change both paths
 * lead through one link to a folder with the old pair, then to a folder with the new. Afterwards they
 * are plain files again; `settlePair` sees to that after a crash.
 * Where there are no symbolic links (Windows without developer mode, FAT), and where the old pair is no
 * pair, the old certificate goes first: a crash then leaves a key alone, never a foreign certificate.
 *
 * @throws {CertError} ERR_CERT_STORAGE when the system refuses; the old pair stays
 */
export async function replacePair(files: CertificateFiles, texts: PairTexts): Promise<void> {
  const { certFile, keyFile } = files;
  const folder = temporaryPath(certFile);
  try {
    await writeFolder(folder, texts);
    if (!(await switchPair(files, folder))) {
      await removeFile(certFile);
      await rename(join(folder, KEY), keyFile);
      await rename(join(folder, CERT), certFile);
    }
  } catch (cause) {
    await settlePair(files);
    throw cause instanceof CertError ? cause : storageError("replace", certFile, cause);
  }
  await settlePair(files);
  await syncDirectory(dirname(certFile));
}

/** Makes plain files of what a killed `replacePair` left, and clears away the rest. */
export async function settlePair(files: CertificateFiles): Promise<void> {
  const directory = dirname(files.certFile);
  for (const path of [files.certFile, files.keyFile]) {
    try {
      const target = await switchTarget(files, path);
      if (target !== undefined) await rename(target, path);
    } catch (cause) {
      throw storageError("settle", path, cause);
    }
  }
  await removeLeftovers(directory, basename(files.certFile));
  await removeLeftovers(directory, basename(files.keyFile));
}

/** Whether a killed `replacePair` left links behind: the pair is whole, but waits for `settlePair`. */
export async function isUnsettled(files: CertificateFiles): Promise<boolean> {
  const paths = [files.certFile, files.keyFile];
  const targets = await Promise.all(paths.map((path) => switchTarget(files, path)));
  return targets.some((target) => target !== undefined);
}

/** Returns false, having changed nothing, without an old pair or without symbolic links. */
async function switchPair(files: CertificateFiles, folder: string): Promise<boolean> {
  const { certFile, keyFile } = files;
  const cert = await readFileIfPresent(certFile);
  const key = await readFileIfPresent(keyFile);
  if (cert === undefined || key === undefined) return false;
  const before = temporaryPath(certFile);
  await writeFolder(before, { cert, key });
  const link = temporaryPath(certFile);
  try {
    await symlink(basename(before), link);
  } catch (error) {
    if (hasCode(error, ...NO_LINKS)) return false;
    throw error;
  }
  const staged = temporaryPath(certFile);
  await replaceByLink(certFile, join(basename(link), CERT), staged);
  await replaceByLink(keyFile, join(basename(link), KEY), staged);
  await replaceByLink(link, basename(folder), staged);
  return true;
}

async function writeFolder(path: string, { cert, key }: PairTexts): Promise<void> {
  await writeDirectory(path, [
    { name: KEY, text: key, mode: PRIVATE_FILE_MODE },
    { name: CERT, text: cert, mode: PUBLIC_FILE_MODE },
  ]);
}

/** `staged` is where the link is made before it takes the place of what is at `path`. */
async function replaceByLink(path: string, target: string, staged: string): Promise<void> {
  await symlink(target, staged);
  await rename(staged, path);
}

/** Returns the file behind a path that `switchPair` has made a link; undefined for any other path. */
async function switchTarget(files: CertificateFiles, path: string): Promise<string | undefined> {
  try {
    if (!(await lstat(path)).isSymbolicLink()) return undefined;
    const directory = dirname(path);
    const target = await readlink(path);
    const link = dirname(target);
    if (!link.startsWith(`.${basename(files.certFile)}.`)) return undefined;
    return join(directory, await readlink(join(directory, link)), basename(target));
  } catch (cause) {
    if (hasCode(cause, "ENOENT", "EINVAL")) return undefined;
    throw storageError("read", path, cause);
  }
}
