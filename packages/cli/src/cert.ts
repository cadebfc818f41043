import { relative } from "node:path";
import { type DevCertificate, devCertificate, type KeyKind } from "@hauberk/cert";
import { choice, parseCommand, wholeNumber } from "./command.ts";

/** Names of a certificate nobody asked anything special of: every spelling of this machine. */
export const LOCAL_NAMES = ["localhost", "127.0.0.1", "::1"] as const;

const KEY_KINDS: readonly KeyKind[] = ["p256", "p384", "ed25519", "rsa2048", "rsa3072", "rsa4096"];

/** `hauberk cert`: makes, renews or reuses a development certificate and says how to trust it. */
export async function cert(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseCommand(args, {
    out: { type: "string" },
    key: { type: "string" },
    days: { type: "string" },
    force: { type: "boolean" },
  });
  const certificate = await devCertificate(positionals.length > 0 ? positionals : LOCAL_NAMES, {
    ...(values.out !== undefined && { directory: values.out }),
    ...(values.key !== undefined && { key: choice("--key", values.key, KEY_KINDS) }),
    ...(values.days !== undefined && { days: wholeNumber("--days", values.days, 1, 825) }),
    ...(values.force === true && { force: true }),
  });
  process.stdout.write(`${describe(certificate)}\n${trustAdvice(certificate.caFile)}`);
}

/** Returns what was made, for which names and until when. */
export function describe(certificate: DevCertificate): string {
  const { status, certFile, keyFile, names, notAfter, authorityCreated, caFile } = certificate;
  const verb = { created: "Made", renewed: "Renewed", reused: "Reused" }[status];
  return [
    ...(authorityCreated ? [`Made a development CA: ${caFile}`] : []),
    `${verb} ${relativePath(certFile)}`,
    `  key    ${relativePath(keyFile)}`,
    `  names  ${names.join(", ")}`,
    `  until  ${notAfter.toISOString().slice(0, 10)}`,
    "",
  ].join("\n");
}

/** Returns the lines that make Node and curl trust the CA in `caFile`. */
export function trustAdvice(caFile: string): string {
  return [
    "Trust it",
    `  Node   export NODE_EXTRA_CA_CERTS=${shellQuote(caFile)}`,
    `  curl   curl --cacert ${shellQuote(caFile)} https://...`,
    "  browsers: import that file as an authority for web sites",
    "",
  ].join("\n");
}

function relativePath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith("..") ? path : fromHere;
}

function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
