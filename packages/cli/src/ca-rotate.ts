import { X509Certificate } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  checkAuthority,
  DEVELOPMENT_NAMES,
  type RotatedAuthority,
  rotateAuthority,
} from "@hauberk/cert";
import {
  AUTHORITY_OPTIONS,
  type AuthorityLocation,
  authorityLocation,
  authorityPassphrase,
  CONSTRAINT_OPTIONS,
  locationArguments,
  nameConstraints,
  warnOfNames,
} from "./authority-options.ts";
import { trustAdvice } from "./cert-report.ts";
import { choice, noPositionals, parseCommand } from "./command.ts";
import { KEY_KINDS } from "./key-kinds.ts";
import { misuse } from "./misuse.ts";
import { commandLine, userShell } from "./shell-syntax.ts";

/** `hauberk ca rotate`: a new CA in the place of the old one, and what follows from that. */
export async function caRotate(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseCommand(args, {
    ...AUTHORITY_OPTIONS,
    ...CONSTRAINT_OPTIONS,
    constrained: { type: "boolean" },
    key: { type: "string" },
    encrypt: { type: "boolean" },
    "no-encrypt": { type: "boolean" },
    certs: { type: "string" },
  });
  noPositionals("ca rotate", positionals);
  const wanted = await nameConstraints(values);
  if (values.constrained === true && wanted.nameConstraints !== undefined) {
    throw misuse("--constrained excludes --permit and --unconstrained");
  }
  if (values.encrypt === true && values["no-encrypt"] === true) {
    throw misuse("--encrypt and --no-encrypt exclude each other");
  }
  const location = authorityLocation(values);
  const { encrypted } = await checkAuthority(location);
  const isEncrypted = values.encrypt === true || encrypted === true;
  const rotated = await rotateAuthority({
    ...location,
    ...wanted,
    ...(values.constrained === true && { nameConstraints: DEVELOPMENT_NAMES }),
    ...(values.key !== undefined && { key: choice("--key", values.key, KEY_KINDS) }),
    passphrase: values["no-encrypt"] === true ? false : authorityPassphrase(values, isEncrypted),
  });
  const leaves = await issuedBy(rotated.previousCertificate, values.certs ?? "certs-dev");
  process.stdout.write(describe(rotated, location, leaves));
  await warnOfNames(location);
}

function describe(
  rotated: RotatedAuthority,
  location: AuthorityLocation,
  leaves: readonly string[],
): string {
  const { certificateFile, encrypted, key, notAfter, previousName } = rotated;
  const show = ["ca", "show", ...locationArguments({ ...location, name: previousName })];
  return [
    `Made a new CA: ${certificateFile}`,
    `  key    ${key}, ${encrypted ? "encrypted" : "not encrypted"}`,
    `  until  ${notAfter.toISOString().slice(0, 10)}`,
    `The old one is kept as ${previousName}: ${commandLine(userShell(), { program: "hauberk", args: show })}`,
    "",
    "Whatever trusted the old CA has to trust the new one; restart what has read the old file",
    trustAdvice(certificateFile, location),
    leaves.length === 0
      ? "No certificate in the folder looked at comes from the old CA"
      : "Renew the certificates of the old CA: call hauberk cert again with the names of each",
    ...leaves.map((path) => `  ${path}`),
    "",
  ].join("\n");
}

/** Returns the certificate files in a folder that a CA has signed. */
async function issuedBy(authority: string | undefined, folder: string): Promise<string[]> {
  if (authority === undefined) return [];
  const issuer = new X509Certificate(authority);
  const names = await readdir(folder).catch(() => []);
  const paths = names
    .filter((name) => name.endsWith(".pem") && !name.endsWith("-key.pem"))
    .map((name) => join(folder, name));
  const signed = await Promise.all(paths.map((path) => isSignedBy(issuer, path)));
  return paths.filter((_, index) => signed[index]).toSorted();
}

async function isSignedBy(issuer: X509Certificate, path: string): Promise<boolean> {
  try {
    const certificate = new X509Certificate(await readFile(path));
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // Somebody else's file: what cannot be read as a certificate is none of ours.
    return false;
  }
}
