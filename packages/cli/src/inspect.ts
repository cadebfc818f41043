import { CertError } from "@hauberk/cert";
import {
  inspectBundle,
  inspectServer,
  type Inspection,
  type InspectedEntry,
} from "@hauberk/cert/inspect";
import { parseCommand } from "./command.ts";
import { askPassword, passwordFromEnvironment } from "./file-password.ts";
import { readIfPossible, readInput } from "./input-file.ts";
import { inspectionText, minute, printable } from "./inspect-report.ts";
import { inspectTarget, keyPathsBeside } from "./inspect-target.ts";
import { misuse } from "./misuse.ts";
import { PASSWORD_OPTIONS } from "./password-options.ts";

const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

const OPTIONS = {
  json: { type: "boolean" },
  "expires-in": { type: "string" },
  "server-name": { type: "string" },
  ca: { type: "string", multiple: true },
  ...PASSWORD_OPTIONS,
} as const;

type Values = ReturnType<typeof parseCommand<typeof OPTIONS>>["values"];

/** `hauberk inspect`: shows what a file or a server holds and what is wrong with it. */
export async function inspect(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommand(args, OPTIONS);
  const [target, ...more] = positionals;
  if (target === undefined || more.length > 0) {
    throw misuse("inspect takes one file, host:port or -; see hauberk help inspect");
  }
  const expiresInText = values["expires-in"];
  const expiresInMs = expiresInText === undefined ? undefined : duration(expiresInText);
  const now = new Date();
  const inspection = await look(target, values, now);
  if (values.json === true) {
    process.stdout.write(`${JSON.stringify({ target, ...inspection }, undefined, 2)}\n`);
  } else if (expiresInMs === undefined) {
    process.stdout.write(inspectionText(target, inspection, now));
  }
  if (expiresInMs === undefined) return 0;
  return reportEnds(target, inspection, new Date(now.getTime() + expiresInMs));
}

async function look(target: string, values: Values, now: Date): Promise<Inspection> {
  const found = inspectTarget(target);
  if (found.kind === "server") {
    const authorities = await Promise.all((values.ca ?? []).map(readInput));
    return inspectServer({
      host: found.host,
      port: found.port,
      serverName: values["server-name"],
      ...(authorities.length > 0 && { authorities }),
      now,
    });
  }
  if (values.ca !== undefined || values["server-name"] !== undefined) {
    throw misuse("--ca and --server-name are for servers; hauberk verify takes --ca for files");
  }
  return lookAtFile(found.path, passwordFromEnvironment(values["password-env"]), now);
}

async function lookAtFile(
  path: string,
  password: string | undefined,
  now: Date,
): Promise<Inspection> {
  const input = await readInput(path);
  const privateKey = await firstReadable(keyPathsBeside(path));
  const options = { privateKey, now };
  try {
    return await inspectBundle(input, { ...options, password });
  } catch (error) {
    const isLocked = error instanceof CertError && error.code === "ERR_CERT_PASSWORD";
    if (!isLocked || password !== undefined || path === "-") throw error;
    const typed = await askPassword(path);
    if (typed === undefined) throw error;
    return inspectBundle(input, { ...options, password: typed });
  }
}

async function firstReadable(paths: readonly string[]): Promise<Buffer | undefined> {
  for (const path of paths) {
    const content = await readIfPossible(path);
    if (content !== undefined) return content;
  }
  return undefined;
}

/** Says which certificates end before `limit`; silent when none does, as cron wants it. */
function reportEnds(target: string, { entries }: Inspection, limit: Date): number {
  const certificates = entries.flatMap(certificateOf);
  if (certificates.length === 0) throw new Error(`${target} holds no certificate`);
  const ending = certificates.filter(({ notAfter }) => notAfter < limit);
  for (const { subject, notAfter } of ending) {
    process.stderr.write(
      printable(`hauberk: ${target}: ${JSON.stringify(subject)} ends on ${minute(notAfter)} UTC\n`),
    );
  }
  return ending.length === 0 ? 0 : 1;
}

function certificateOf(
  entry: InspectedEntry,
): Extract<InspectedEntry, { kind: "certificate" }>["certificate"][] {
  return entry.kind === "certificate" ? [entry.certificate] : [];
}

function duration(text: string): number {
  const match = /^(\d{1,5})([mhdw])$/.exec(text);
  const [, count = "", unit = ""] = match ?? [];
  const found = Object.entries(UNITS_MS).find(([letter]) => letter === unit);
  if (found !== undefined) return Number(count) * found[1];
  throw misuse(
    `--expires-in is ${JSON.stringify(text)}; it takes a number with m, h, d or w, such as 14d`,
  );
}
