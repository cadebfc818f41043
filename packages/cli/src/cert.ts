import { basename, dirname } from "node:path";
import type {
  CertificatePurpose,
  DevCertificate,
  DevCertificateOptions,
  KeepEvent,
} from "@hauberk/cert";
import { devCertificate } from "@hauberk/cert/dev-certificate";
import {
  AUTHORITY_OPTIONS,
  authorityLocation,
  authorityPassphrase,
  CONSTRAINT_OPTIONS,
  nameConstraints,
  warnOfNames,
} from "./authority-options.ts";
import { describe, renewalLine, trustAdvice } from "./cert-report.ts";
import { choice, parseCommand, wholeNumber } from "./command.ts";
import type { FormatWriter } from "./cert-formats.ts";
import { PASSWORD_OPTIONS } from "./password-options.ts";
import { KEY_KINDS } from "./key-kinds.ts";
import { misuse } from "./misuse.ts";
import { untilSignal } from "./signals.ts";

/** Names of a certificate nobody asked anything special of: every spelling of this machine. */
export const LOCAL_NAMES = ["localhost", "127.0.0.1", "::1"] as const;

/** How soon a certificate that somebody removed or renewed, and a new CA, are noticed. */
export const LOOK_MS = 2000;

/** What public CAs could give last; browsers refuse more from them. */
const PUBLIC_DAYS = 398;
/** Apple platforms refuse more from any CA. */
const MAX_DAYS = 825;
const DAY_MS = 86_400_000;

const OPTIONS = {
  out: { type: "string" },
  name: { type: "string" },
  key: { type: "string" },
  days: { type: "string" },
  "long-lived": { type: "boolean" },
  org: { type: "string" },
  client: { type: "boolean" },
  both: { type: "boolean" },
  webtransport: { type: "boolean" },
  expired: { type: "boolean" },
  force: { type: "boolean" },
  watch: { type: "boolean" },
  csr: { type: "string" },
  format: { type: "string", multiple: true },
  legacy: { type: "boolean" },
  "ask-password": { type: "boolean" },
  ...PASSWORD_OPTIONS,
  ...AUTHORITY_OPTIONS,
  ...CONSTRAINT_OPTIONS,
} as const;

type Options = Omit<DevCertificateOptions, "now">;
/** A request brings its key, and what is signed for somebody else is never reused or renewed here. */
const CSR_EXCLUDES = ["key", "force", "watch", "webtransport", "permit", "unconstrained"] as const;

type Values = ReturnType<typeof parseCommand<typeof OPTIONS>>["values"];

/** `hauberk cert`: makes, renews or reuses a development certificate and says how to trust it. */
export async function cert(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseCommand(args, OPTIONS);
  if (values.client === true && positionals.length === 0 && values.csr === undefined) {
    throw misuse("--client needs a name, such as a host name or an e-mail address");
  }
  const options = certificateOptions(values);
  const days = warnOfDays(values);
  const exportTo = await formats(values);
  if (values.csr !== undefined) {
    if (positionals.length > 0) throw misuse("--csr takes the names from the request");
    const excluded = CSR_EXCLUDES.find((option) => values[option] !== undefined);
    if (excluded !== undefined) throw misuse(`--csr and --${excluded} exclude each other`);
    const { signRequest } = await import("./cert-request.ts");
    await signRequest(values.csr, { ...values, options, exportTo });
    return;
  }
  const names = positionals.length > 0 ? positionals : LOCAL_NAMES;
  const authorityCreated = await createWider(values, options);
  const watching = values.watch === true ? await watch(names, options) : undefined;
  const certificate = watching?.certificate ?? (await devCertificate(names, options));
  const made = {
    ...certificate,
    authorityCreated: certificate.authorityCreated || authorityCreated,
  };
  process.stdout.write(
    `${describe(made, { hash: values.webtransport === true })}\n` +
      trustAdvice(made.caFile, authorityLocation(values)),
  );
  if (exportTo !== undefined) {
    const place = { directory: dirname(made.certFile), fileName: basename(made.certFile, ".pem") };
    process.stdout.write(await exportTo(made, place));
  }
  warnOfEnd(certificate, days);
  await watching?.ended;
}

/** Returns what writes the forms asked for, nothing without `--format`. */
async function formats(values: Values): Promise<FormatWriter | undefined> {
  if (values.format === undefined && !hasPasswordOption(values)) return undefined;
  return (await import("./cert-formats.ts")).formatWriter(values);
}

function hasPasswordOption(values: Values): boolean {
  return (
    values.legacy === true ||
    values["ask-password"] === true ||
    values["password-env"] !== undefined
  );
}

function certificateOptions(values: Values): Options {
  const { directory, name } = authorityLocation(values);
  if (values.watch === true && values.expired === true) {
    throw misuse("--watch and --expired exclude each other");
  }
  return {
    ...(values.out !== undefined && { directory: values.out }),
    ...(values.name !== undefined && { fileName: values.name }),
    ...(values.key !== undefined && { key: choice("--key", values.key, KEY_KINDS) }),
    ...(values.days !== undefined && { days: wholeNumber("--days", values.days, 1, 7300) }),
    ...(values.org !== undefined && { organization: values.org }),
    ...(directory !== undefined && { authorityDirectory: directory }),
    ...(name !== undefined && { authorityName: name }),
    longLived: values["long-lived"] === true,
    webTransport: values.webtransport === true,
    expired: values.expired === true,
    force: values.force === true,
    purpose: purpose(values),
    passphrase: authorityPassphrase(values),
  };
}

function purpose({ client, both }: Values): CertificatePurpose {
  if (client === true && both === true) throw misuse("--client and --both exclude each other");
  if (client === true) return "client";
  return both === true ? "both" : "server";
}

/** Returns the days asked for, if any; says what longer ones cost. */
function warnOfDays(values: Values): number | undefined {
  if (values.days === undefined) return undefined;
  const days = Number(values.days);
  if (days > MAX_DAYS && values["long-lived"] !== true) {
    throw misuse(
      `--days is ${JSON.stringify(values.days)}; more than ${MAX_DAYS} days, which Apple platforms ` +
        "refuse, need --long-lived",
    );
  }
  if (days > PUBLIC_DAYS) {
    const reason =
      days > MAX_DAYS
        ? `Apple platforms refuse more than ${MAX_DAYS}`
        : `public certificates never last more than ${PUBLIC_DAYS}, so some clients may refuse it`;
    warn(`--days ${days}: ${reason}; a stolen key works until the end`);
  }
  return days;
}

/** The end of the CA cuts its certificates short. */
function warnOfEnd(
  { status, notBefore, notAfter }: DevCertificate,
  days: number | undefined,
): void {
  if (status === "reused" || days === undefined) return;
  const given = (notAfter.getTime() - notBefore.getTime() + 1000) / DAY_MS;
  if (given >= days) return;
  warn(`--days ${days}: it lasts ${Math.floor(given)} days, because the CA ends then`);
}

/** Makes the CA with the names asked for, if any; a CA that is there has to permit them. */
async function createWider(values: Values, options: Options): Promise<boolean> {
  const wanted = await nameConstraints(values);
  if (wanted.nameConstraints === undefined) return false;
  const location = authorityLocation(values);
  const { openAuthority } = await import("@hauberk/cert");
  const { created } = await openAuthority({
    ...location,
    ...wanted,
    passphrase: options.passphrase,
  });
  if (created) await warnOfNames(location);
  return created;
}

interface Watching {
  readonly certificate: DevCertificate;
  /** Resolves at the first signal to stop. */
  readonly ended: Promise<void>;
}

async function watch(names: readonly string[], options: Options): Promise<Watching> {
  const { keepDevCertificate } = await import("@hauberk/cert");
  const keeper = await keepDevCertificate(names, {
    ...options,
    lookEveryMs: LOOK_MS,
    onEvent(event) {
      reportRenewal(event, process.stdout);
    },
  });
  // The looks do not keep the process alive.
  const alive = setInterval(() => undefined, 2 ** 30);
  const ended = untilSignal(() => {
    clearInterval(alive);
    keeper.close();
  });
  return { certificate: keeper.certificateFor(), ended };
}

/** Says in one line what became of a renewal, a failure on standard error. */
export function reportRenewal(event: KeepEvent, output: NodeJS.WritableStream): void {
  if (event.kind === "renewed") {
    output.write(`${renewalLine(event.certificate)}\n`);
    return;
  }
  const { error } = event;
  process.stderr.write(
    `hauberk: cannot renew the certificate: ${error instanceof Error ? error.message : String(error)}\n`,
  );
}

function warn(text: string): void {
  process.stderr.write(`hauberk: WARNING: ${text}\n`);
}
