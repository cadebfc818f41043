import { X509Certificate } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { checkAuthority, type AuthorityReport } from "@hauberk/cert";
import { AUTHORITY_OPTIONS, authorityLocation } from "./authority-options.ts";
import { noPositionals, parseCommand } from "./command.ts";
import { misuse } from "./misuse.ts";

/** `hauberk ca export`: the certificate of the CA, and its key only when told to. */
export async function caExport(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseCommand(args, {
    ...AUTHORITY_OPTIONS,
    out: { type: "string" },
    der: { type: "boolean" },
    "with-key": { type: "boolean" },
    force: { type: "boolean" },
  });
  noPositionals("ca export", positionals);
  const { out, force = false } = values;
  if (out === undefined && values["with-key"] === true) {
    throw misuse("--with-key needs --out FILE: a private key does not belong on a terminal");
  }
  if (out === undefined && values.der === true && process.stdout.isTTY) {
    throw misuse("--der writes bytes that a terminal cannot show; use --out FILE");
  }
  const report = await checkAuthority(authorityLocation(values));
  const certificate = new X509Certificate(await readCertificateFile(report));
  const content = values.der === true ? certificate.raw : certificate.toString();
  if (out === undefined) {
    process.stdout.write(content);
    return;
  }
  await writeNew(out, content, 0o644, force);
  process.stdout.write(`Wrote ${out}\n`);
  if (values["with-key"] !== true) return;
  const keyOut = `${out.replace(/\.(?:pem|crt|cer|der)$/, "")}-key.pem`;
  await writeNew(keyOut, await readFile(report.keyFile), 0o600, force);
  process.stdout.write(`Wrote ${keyOut}\n`);
  process.stderr.write(
    `hauberk: WARNING: whoever reads ${keyOut} can impersonate every name this CA may sign` +
      `${report.encrypted === true ? ", once the passphrase is known" : ""}; ` +
      "remove it as soon as it is where it belongs\n",
  );
}

async function readCertificateFile({ certificate, ...report }: AuthorityReport): Promise<Buffer> {
  const [fault] = report.findings;
  if (certificate === undefined && fault !== undefined) {
    throw new Error(`${fault.problem}; ${fault.repair}`);
  }
  return readFile(report.certificateFile);
}

/** A file that is there keeps its own permissions when it is overwritten, so it goes first. */
async function writeNew(
  path: string,
  content: string | Buffer,
  mode: number,
  force: boolean,
): Promise<void> {
  if (force) await rm(path, { force: true });
  try {
    await writeFile(path, content, { flag: "wx", mode });
  } catch (error) {
    throw writeFailure(path, error);
  }
}

function writeFailure(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !("code" in cause)) return cause;
  if (cause.code === "EEXIST") {
    return new Error(`${path} is there already; --force replaces it`, { cause });
  }
  if (cause.code !== "ENOENT") return cause;
  return new Error(`Cannot write ${path}: there is no folder ${dirname(path)}`, { cause });
}
