import {
  type DevCertificateOptions,
  issueFromRequest,
  openAuthority,
  type RequestedCertificate,
} from "@hauberk/cert";
import type { FormatWriter } from "./cert-formats.ts";
import { formatWriter } from "./cert-formats.ts";
import { readInput } from "./input-file.ts";
import { printable } from "./inspect-report.ts";

/** What `hauberk cert` was told besides the request. */
interface RequestSettings {
  readonly options: Omit<DevCertificateOptions, "now">;
  /** Writes the forms asked for; without it only PEM is written. */
  readonly exportTo: FormatWriter | undefined;
}

/** `hauberk cert --csr`: signs a request, and says what it asked for and did not get. */
export async function signRequest(path: string, settings: RequestSettings): Promise<void> {
  const { options } = settings;
  const request = await readInput(path);
  const authority = await openAuthority({
    directory: options.authorityDirectory,
    name: options.authorityName,
    passphrase: options.passphrase,
  });
  const signed = await issueFromRequest(authority, request, {
    days: options.days,
    longLived: options.longLived,
    expired: options.expired,
    purpose: options.purpose,
    organization: options.organization,
  });
  const write = settings.exportTo ?? (await formatWriter({ format: ["pem"] }));
  const place = { directory: options.directory, fileName: options.fileName };
  const written = await write(signed, place);
  process.stdout.write(printable(`${describe(path, signed)}${written}`));
}

function describe(path: string, { names, notAfter, dropped }: RequestedCertificate): string {
  return [
    `Signed ${path === "-" ? "the request" : path}`,
    `  names  ${names.join(", ")}`,
    `  until  ${notAfter.toISOString().slice(0, 10)}`,
    ...dropped.map((what) => `  without ${what}, which the request asked for`),
    "",
  ].join("\n");
}
