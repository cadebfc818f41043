import {
  type CertificateFormat,
  type ExportableCertificate,
  exportCertificate,
  type ExportOptions,
} from "@hauberk/cert";
import { relativePath } from "./cert-report.ts";
import { choice } from "./command.ts";
import { askNewPassword, passwordFromEnvironment } from "./file-password.ts";
import { misuse } from "./misuse.ts";

const FORMATS: readonly CertificateFormat[] = [
  "pem",
  "chain",
  "der",
  "p12",
  "jks",
  "kubernetes",
  "haproxy",
];

/** Writes the forms asked for and returns what to say about them. */
export type FormatWriter = (
  certificate: ExportableCertificate,
  place: Pick<ExportOptions, "directory" | "fileName">,
) => Promise<string>;

interface FormatValues {
  readonly format?: readonly string[];
  readonly legacy?: boolean;
  readonly "ask-password"?: boolean;
  readonly "password-env"?: string;
}

/**
 * Checks what `--format` and its companions ask for, and asks for the password now rather than when
 * the certificate is made.
 *
 * @throws {MisuseError} A form is unknown, or a password is given for none that has one.
 */
export async function formatWriter(values: FormatValues): Promise<FormatWriter> {
  const formats = (values.format ?? []).map((text) => choice("--format", text, FORMATS));
  const isLocked = formats.includes("p12") || formats.includes("jks");
  const companion = companionOf(values);
  if (companion !== undefined && !isLocked) {
    throw misuse(`--${companion} is for --format p12 and --format jks`);
  }
  const given = isLocked ? await password(values) : undefined;
  const settings = { formats, password: given, legacy: values.legacy === true };
  return async (certificate, place) => {
    const exported = await exportCertificate(certificate, { ...place, ...settings });
    const lines = exported.files.map(
      ({ format, file }) => `  ${format.padEnd(10)}  ${relativePath(file)}`,
    );
    const isNew = exported.password !== undefined && given === undefined;
    return [
      "",
      "Wrote",
      ...lines,
      ...(isNew ? [`  password    ${exported.password}  (shown this once)`] : []),
      "",
    ].join("\n");
  };
}

function companionOf(values: FormatValues): string | undefined {
  if (values.legacy === true) return "legacy";
  if (values["ask-password"] === true) return "ask-password";
  return values["password-env"] === undefined ? undefined : "password-env";
}

async function password(values: FormatValues): Promise<string | undefined> {
  const isAsked = values["ask-password"] === true;
  if (isAsked && values["password-env"] !== undefined) {
    throw misuse("--ask-password and --password-env exclude each other");
  }
  return isAsked ? askNewPassword() : passwordFromEnvironment(values["password-env"]);
}
