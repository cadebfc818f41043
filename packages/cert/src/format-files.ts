import { basename, dirname, resolve } from "node:path";
import { certificateFiles, fileNameOption, filesNamed } from "./certificate-files.ts";
import {
  createDirectory,
  PRIVATE_FILE_MODE,
  PUBLIC_FILE_MODE,
  removeLeftovers,
  writeFileAtomic,
} from "./file-storage.ts";
import { toChain, toCombinedPem, toDer, toKubernetesSecret } from "./formats.ts";
import { booleanOption, checkOptionKeys, pathOption } from "./options.ts";
import {
  passwordOption,
  randomPassword,
  toPkcs12,
  type CertificateWithKey,
} from "./pkcs12-export.ts";
import { quote } from "./quote.ts";
import { parseSubjectNames } from "./subject-names.ts";

/** A form in which other programs want a certificate. */
export type CertificateFormat = "pem" | "chain" | "der" | "p12" | "jks" | "kubernetes" | "haproxy";

/** Options of `exportCertificate`. */
export interface ExportOptions {
  /** The forms to write, each once. */
  readonly formats: readonly CertificateFormat[];
  /**
   * Folder for the files; created when it is not there.
   *
   * @default "certs-dev" in the working directory
   */
  readonly directory?: string | undefined;
  /**
   * Name of the files without their endings; what each form adds is in the README.
   *
   * @default made of the names, with "-csr" where the key stays with somebody else
   */
  readonly fileName?: string | undefined;
  /**
   * Password of the forms "p12" and "jks"; ASCII of at least 6 characters for "jks".
   *
   * @default a random one of 20 characters, the same for both
   */
  readonly password?: string | undefined;
  /**
   * Old ciphers for "p12" and "jks"; see `toPkcs12`.
   *
   * @default false
   */
  readonly legacy?: boolean | undefined;
}

const OPTION_KEYS = {
  formats: true,
  directory: true,
  fileName: true,
  password: true,
  legacy: true,
} satisfies Record<keyof ExportOptions, true>;

/** One file that `exportCertificate` wrote. */
export interface ExportedFile {
  readonly format: CertificateFormat;
  readonly file: string;
  /** Whether it holds the private key; its mode is 0600 then, else 0644. */
  readonly isPrivate: boolean;
}

/** What `exportCertificate` wrote. */
export interface ExportedCertificate {
  readonly files: readonly ExportedFile[];
  /** What opens the forms "p12" and "jks"; undefined when neither was asked for. */
  readonly password: string | undefined;
}

/** A certificate, with its key unless that stays with somebody else. */
export interface ExportableCertificate extends Omit<CertificateWithKey, "key"> {
  readonly key?: string | undefined;
  /** The names in canonical form. */
  readonly names: readonly string[];
}

interface Format {
  /** What the file name adds to the stem. */
  readonly ending: string;
  readonly needsKey: boolean;
  readonly write: (pair: CertificateWithKey, settings: Settings) => Content | Promise<Content>;
}

type Content = string | Buffer;

interface Settings {
  /** Path without ending. */
  readonly stem: string;
  readonly password: string | undefined;
  readonly legacy: boolean;
}

const FORMATS: Readonly<Record<CertificateFormat, Format>> = {
  pem: { ending: ".pem", needsKey: false, write: ({ cert }) => cert },
  chain: { ending: "-chain.pem", needsKey: false, write: toChain },
  der: { ending: ".der", needsKey: false, write: ({ cert }) => toDer(cert) },
  p12: { ending: ".p12", needsKey: true, write: writePkcs12 },
  jks: { ending: ".jks", needsKey: true, write: writePkcs12 },
  kubernetes: {
    ending: "-secret.yaml",
    needsKey: true,
    write: (pair, { stem }) => toKubernetesSecret(pair, { name: secretName(stem) }),
  },
  haproxy: { ending: "-haproxy.pem", needsKey: true, write: toCombinedPem },
};

/**
 * Writes a certificate in the forms other programs want, each by one rename. Whatever holds the
 * private key has the mode 0600.
 *
 * @throws {TypeError} If an option is unknown or malformed, or a form needs the key and there is none
 * @throws {CertError} ERR_CERT_STORAGE when the system refuses to write
 */
export async function exportCertificate(
  certificate: ExportableCertificate,
  options: ExportOptions,
): Promise<ExportedCertificate> {
  const { formats, ...settings } = parseOptions(certificate, options);
  const { key } = certificate;
  const keyless = formats.find((format) => key === undefined && FORMATS[format].needsKey);
  if (keyless !== undefined) {
    throw new TypeError(`formats: ${quote(keyless)} needs the private key, and it is not here`);
  }
  const needsPassword = formats.some((format) => FORMATS[format].write === writePkcs12);
  const password = needsPassword ? (settings.password ?? randomPassword()) : undefined;
  const pair = { ...certificate, key: key ?? "" };
  const directory = dirname(settings.stem);
  await createDirectory(directory);
  const files: ExportedFile[] = [];
  for (const format of formats) {
    const { ending, needsKey, write } = FORMATS[format];
    const file = `${settings.stem}${ending}`;
    const content = await write(pair, { ...settings, password });
    await removeLeftovers(directory, basename(file));
    await writeFileAtomic(file, content, needsKey ? PRIVATE_FILE_MODE : PUBLIC_FILE_MODE);
    files.push({ format, file, isPrivate: needsKey });
  }
  return { files, password };
}

function parseOptions(
  { key, names }: ExportableCertificate,
  options: ExportOptions,
): Settings & Pick<ExportOptions, "formats"> {
  checkOptionKeys("exportCertificate", options, OPTION_KEYS);
  const formats: unknown = options.formats;
  if (!Array.isArray(formats) || formats.length === 0 || !formats.every(isFormat)) {
    const known = Object.keys(FORMATS).join(", ");
    throw new TypeError(`formats must list some of ${known}, got ${quote(formats)}`);
  }
  const directory = resolve(pathOption("directory", options.directory) ?? "certs-dev");
  const fileName = fileNameOption("fileName", options.fileName);
  const { certFile } =
    fileName === undefined
      ? certificateFiles(directory, parseSubjectNames(names), key === undefined ? "-csr" : "")
      : filesNamed(directory, fileName);
  const password = passwordOption(options.password);
  if (password !== undefined && formats.includes("jks") && !/^[\x20-\x7e]{6,}$/.test(password)) {
    throw new TypeError('password must have at least 6 characters, all ASCII, for the form "jks"');
  }
  return {
    formats: [...new Set(formats)],
    stem: certFile.replace(/\.pem$/, ""),
    password,
    legacy: booleanOption("legacy", options.legacy),
  };
}

function isFormat(value: unknown): value is CertificateFormat {
  return typeof value === "string" && Object.hasOwn(FORMATS, value);
}

async function writePkcs12(
  pair: CertificateWithKey,
  { password, legacy }: Settings,
): Promise<Buffer> {
  return (await toPkcs12(pair, { password, legacy })).pkcs12;
}

/** "_wildcard.app.test+2" becomes "wildcard.app.test-2". */
function secretName(stem: string): string {
  const name = basename(stem)
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, "-")
    .replaceAll(/[.-]*\.[.-]*/g, ".")
    .replaceAll(/^[.-]+|[.-]+$/g, "");
  return name === "" ? "certificate" : name;
}
