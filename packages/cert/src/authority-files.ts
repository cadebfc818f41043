import { join } from "node:path";
import { quote } from "./quote.ts";

const DEFAULT_NAME = "authority";
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** What `rotateAuthority` appends to the name of a CA that it puts aside. */
const ASIDE = /\.\d{8}T\d{6}Z$/;
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/;

/** Where a CA is kept: both files in one folder of their own, so that one rename makes it appear. */
export interface AuthorityFiles {
  /** The folder of all CAs, such as HAUBERK_HOME; absolute. */
  readonly directory: string;
  readonly name: string;
  /** `<directory>/<name>` */
  readonly folder: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly lockFile: string;
}

/** Names of the two files inside the folder of a CA. */
export const AUTHORITY_FILE = { certificate: "ca.pem", key: "ca-key.pem" } as const;

/** Returns the paths of the CA `name` below an absolute folder. */
export function authorityFiles(directory: string, name: string): AuthorityFiles {
  const folder = join(directory, name);
  return {
    directory,
    name,
    folder,
    certFile: join(folder, AUTHORITY_FILE.certificate),
    keyFile: join(folder, AUTHORITY_FILE.key),
    lockFile: join(directory, `${name}.lock`),
  };
}

/**
 * Returns the name of a CA, "authority" when absent. Such a name is one folder on every platform.
 *
 * @throws {TypeError} If the value is no such name
 */
export function authorityNameOption(path: string, value: string | undefined): string {
  if (value === undefined) return DEFAULT_NAME;
  if (typeof value === "string" && isAuthorityName(value)) return value;
  throw new TypeError(
    `${path} must be a name of 1 to 63 small letters, digits and hyphens, got ${quote(value)}`,
  );
}

/** Whether a folder can be that of a CA, going by its name. */
export function isAuthorityName(name: string): boolean {
  const base = name.replace(ASIDE, "");
  return NAME.test(base) && !WINDOWS_DEVICE.test(base);
}

/** Returns the name under which `rotateAuthority` puts a CA aside at `now`. */
export function asideName(name: string, now: Date): string {
  return `${name}.${now.toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
}

/** Whether `name` is that of a CA put aside; of the CA `of` if given. */
export function isAside(name: string, of?: string): boolean {
  return ASIDE.test(name) && (of === undefined || name.replace(ASIDE, "") === of);
}
