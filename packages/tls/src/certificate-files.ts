import { readFile, stat } from "node:fs/promises";
import type { CertificatePair } from "./certificate-pair.ts";
import { TlsError } from "./errors.ts";

/** Two PEM files that belong together; symbolic links are followed at each look. */
export interface CertificateFiles {
  /** Leaf first, then each issuer. */
  readonly certFile: string;
  readonly keyFile: string;
}

const MAX_FILE_BYTES = 1_048_576n;

/**
 * Returns a text that changes when either file is rewritten, replaced by rename, or reached through
 * another symbolic link; a file that cannot be seen contributes its error code.
 */
export async function filesFingerprint(files: CertificateFiles): Promise<string> {
  const parts = await Promise.all([files.certFile, files.keyFile].map(fileFingerprint));
  return parts.join(" ");
}

async function fileFingerprint(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(":");
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "unreadable";
  }
}

/**
 * Reads both files as they are now.
 *
 * @throws {TlsError} ERR_TLS_FILE_UNREADABLE when a file is missing, not permitted, not regular or over 1 MiB.
 */
export async function readCertificateFiles(files: CertificateFiles): Promise<CertificatePair> {
  const [cert, key] = await Promise.all([readPem(files.certFile), readPem(files.keyFile)]);
  return { cert, key };
}

async function readPem(file: string): Promise<string> {
  try {
    // Opening a FIFO would wait for a writer, and /dev/zero has no end.
    const status = await stat(file, { bigint: true });
    if (!status.isFile() || status.size > MAX_FILE_BYTES) {
      throw new Error(`not a regular file of at most ${MAX_FILE_BYTES} bytes`);
    }
    return await readFile(file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TlsError(
      "ERR_TLS_FILE_UNREADABLE",
      `Cannot read ${JSON.stringify(file)}: ${reason}`,
      {
        cause,
      },
    );
  }
}
