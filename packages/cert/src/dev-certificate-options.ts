import { resolve } from "node:path";
import {
  certificateFiles,
  fileNameOption,
  filesNamed,
  type CertificateFiles,
} from "./certificate-files.ts";
import { daysOption, organizationOption, purposeOption, type CertificatePurpose } from "./issue.ts";
import { keyKindOption, type KeyKind } from "./key-pair.ts";
import type { LockOptions } from "./lock-file.ts";
import { lockTimeoutOption } from "./open-authority.ts";
import { booleanOption, checkOptionKeys, dateOption, pathOption } from "./options.ts";
import { passphraseOption, type Passphrase } from "./passphrase.ts";
import { parseSubjectNames, type SubjectName } from "./subject-names.ts";

/** Two weeks is the most that browsers accept (WebTransport, custom certificate requirements). */
const WEB_TRANSPORT_DAYS = 14;
const DAY_MS = 86_400_000;

/** Options of `devCertificate`. */
export interface DevCertificateOptions {
  /**
   * Folder for the certificate and its key; created when it is not there.
   *
   * @default "certs-dev" in the working directory
   */
  readonly directory?: string | undefined;
  /**
   * Folder that keeps the CA.
   *
   * @default authorityDirectory()
   */
  readonly authorityDirectory?: string | undefined;
  /**
   * Which of the CAs in that folder signs.
   *
   * @default "authority"
   */
  readonly authorityName?: string | undefined;
  /** Opens the key of a CA that has a passphrase, and protects that of a CA that has to be created. */
  readonly passphrase?: Passphrase | undefined;
  /**
   * Name of the certificate file without ".pem"; the key goes into `<fileName>-key.pem`.
   *
   * @default made of the names and the kind of certificate, such as "app.test+1-client"
   */
  readonly fileName?: string | undefined;
  /**
   * Kind of key; a stored key of another kind is replaced.
   *
   * @default the kind of the stored key, else "p256"
   */
  readonly key?: KeyKind | undefined;
  /**
   * Lifetime of a new certificate in days, integer 1 to 825, with `longLived` to 7300.
   * Does not touch one that is still good.
   *
   * @default 90
   */
  readonly days?: number | undefined;
  /**
   * Allow more than 825 days, which Apple platforms refuse.
   *
   * @default false
   */
  readonly longLived?: boolean | undefined;
  /**
   * What the certificate is for; a stored one for something else is replaced.
   *
   * @default "server"
   */
  readonly purpose?: CertificatePurpose | undefined;
  /**
   * Organization in the subject, 1 to 64 characters; a stored certificate with another is replaced.
   *
   * @default "Hauberk development certificate"
   */
  readonly organization?: string | undefined;
  /**
   * Make one that browsers take by its hash (`serverCertificateHashes`): P-256, 14 days at most.
   * Excludes `key`, `days`, `longLived`, `expired` and purposes other than "server".
   *
   * @default false
   * @see https://www.w3.org/TR/webtransport/#custom-certificate-requirements
   */
  readonly webTransport?: boolean | undefined;
  /**
   * Make one that ended a day ago, for tests of refusal and renewal.
   *
   * @default false
   */
  readonly expired?: boolean | undefined;
  /**
   * Issue a new certificate even if the stored one is good; its key stays (remove it for a new one).
   *
   * @default false
   */
  readonly force?: boolean | undefined;
  /**
   * Present time.
   *
   * @default the system clock
   */
  readonly now?: Date | undefined;
  /**
   * Longest wait for another process that works on the same folder.
   * Milliseconds, integer 0 to 600000.
   *
   * @default 10000
   */
  readonly lockTimeoutMs?: number | undefined;
  /** Ends the wait for another process. */
  readonly signal?: AbortSignal | undefined;
}

const OPTION_KEYS = {
  directory: true,
  authorityDirectory: true,
  authorityName: true,
  passphrase: true,
  fileName: true,
  key: true,
  days: true,
  longLived: true,
  purpose: true,
  organization: true,
  webTransport: true,
  expired: true,
  force: true,
  now: true,
  lockTimeoutMs: true,
  signal: true,
} satisfies Record<keyof DevCertificateOptions, true>;

/** The options of `devCertificate`, checked and complete. */
export interface DevCertificateSettings extends CertificateFiles {
  readonly names: readonly SubjectName[];
  readonly directory: string;
  readonly authorityDirectory: string | undefined;
  readonly authorityName: string | undefined;
  readonly passphrase: Passphrase | undefined;
  readonly key: KeyKind | undefined;
  readonly days: number;
  readonly longLived: boolean;
  /** A stored certificate of a longer life is not good. Milliseconds. */
  readonly maxLifetimeMs: number;
  readonly purpose: CertificatePurpose;
  readonly organization: string;
  readonly expired: boolean;
  readonly force: boolean;
  readonly now: Date;
  readonly lock: LockOptions;
}

/** Checks what `devCertificate` is given and completes it. */
export function devCertificateSettings(
  names: readonly string[],
  options: DevCertificateOptions,
): DevCertificateSettings {
  checkOptionKeys("devCertificate", options, OPTION_KEYS);
  const isWebTransport = booleanOption("webTransport", options.webTransport);
  if (isWebTransport) requireAlone(options);
  const parsed = parseSubjectNames(names);
  const directory = resolve(pathOption("directory", options.directory) ?? "certs-dev");
  const purpose = purposeOption("purpose", options.purpose);
  const expired = booleanOption("expired", options.expired);
  const fileName = fileNameOption("fileName", options.fileName);
  const variant = [
    ...(purpose === "server" ? [] : [purpose]),
    ...(isWebTransport ? ["webtransport"] : []),
    ...(expired ? ["expired"] : []),
  ];
  const days = daysOption(options);
  return {
    names: parsed,
    directory,
    ...(fileName === undefined
      ? certificateFiles(directory, parsed, variant.map((part) => `-${part}`).join(""))
      : filesNamed(directory, fileName)),
    authorityDirectory: pathOption("authorityDirectory", options.authorityDirectory),
    authorityName: options.authorityName,
    passphrase: passphraseOption("passphrase", options.passphrase),
    key: isWebTransport ? "p256" : keyKindOption("key", options.key),
    days: isWebTransport ? WEB_TRANSPORT_DAYS : days,
    longLived: booleanOption("longLived", options.longLived),
    maxLifetimeMs: isWebTransport ? WEB_TRANSPORT_DAYS * DAY_MS : Infinity,
    purpose,
    organization: organizationOption("organization", options.organization),
    expired,
    force: booleanOption("force", options.force),
    now: dateOption("now", options.now),
    lock: { timeoutMs: lockTimeoutOption(options.lockTimeoutMs), signal: options.signal },
  };
}

function requireAlone(options: DevCertificateOptions): void {
  const { key, days, longLived, expired, purpose } = options;
  const given = {
    key,
    days,
    longLived,
    expired,
    purpose: purpose === "server" ? undefined : purpose,
  };
  const excluded = Object.entries(given).find(
    ([, value]) => value !== undefined && value !== false,
  );
  if (excluded === undefined) return;
  throw new TypeError(
    `webTransport sets key, days and purpose by itself and cannot go with ${excluded[0]}`,
  );
}
