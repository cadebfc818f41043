import { createHash } from "node:crypto";
import { join } from "node:path";
import { quote } from "./quote.ts";
import type { SubjectName } from "./subject-names.ts";

/** Most file systems take 255 bytes; the rest is for "+99", "-key.pem" and temporary names. */
const MAX_STEM_CHARS = 180;
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** Where a certificate and its private key are kept. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * Returns the paths for a list of names, as mkcert names them: the first name, "+2" for two more,
 * "_wildcard" for an asterisk and "_" for whatever a file name cannot have on some platform; then
 * `variant`, such as "-client", so that certificates of different kinds do not take turns in one file.
 */
export function certificateFiles(
  directory: string,
  names: readonly SubjectName[],
  variant: string = "",
): CertificateFiles {
  const more = names.length > 1 ? `+${names.length - 1}` : "";
  return filesNamed(directory, `${fileStem(names[0]?.value ?? "")}${more}${variant}`);
}

/** Returns the paths for a file name without its ending. */
export function filesNamed(directory: string, stem: string): CertificateFiles {
  return { certFile: join(directory, `${stem}.pem`), keyFile: join(directory, `${stem}-key.pem`) };
}

/**
 * Returns a file-name option, or undefined when absent.
 *
 * @throws {TypeError} If the value is not the plain name of a file on every platform
 */
export function fileNameOption(path: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const isPlain =
    typeof value === "string" &&
    /^[A-Za-z0-9_][A-Za-z0-9._@+-]*$/.test(value) &&
    value.length <= MAX_STEM_CHARS &&
    !WINDOWS_DEVICE.test(value);
  if (isPlain && !value.endsWith("-key")) return value.replace(/\.pem$/, "");
  throw new TypeError(
    `${path} must be a file name of letters, digits and ._@+- that does not end in "-key", ` +
      `got ${quote(value)}`,
  );
}

function fileStem(name: string): string {
  const safe = name.replace(/^\*/, "_wildcard").replaceAll(/[^A-Za-z0-9._@-]/g, "_");
  // The certificate of "a-key" must not land on the key of "a".
  const distinct = safe.endsWith("-key") ? `${safe}_` : safe;
  const stem = WINDOWS_DEVICE.test(distinct) ? `_${distinct}` : distinct;
  if (stem.length <= MAX_STEM_CHARS) return stem;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 16);
  return `${stem.slice(0, MAX_STEM_CHARS)}-${digest}`;
}
