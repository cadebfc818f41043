import { createHash, X509Certificate } from "node:crypto";
import { relative } from "node:path";
import type { DevCertificate } from "@hauberk/cert";
import { type AuthorityLocation, locationArguments } from "./authority-options.ts";

/** Returns what was made, for which names and until when; with its SHA-256 for `serverCertificateHashes`. */
export function describe(
  certificate: DevCertificate,
  { hash = false }: { readonly hash?: boolean } = {},
): string {
  const { status, certFile, keyFile, names, authorityCreated, caFile } = certificate;
  const verb = { created: "Made", renewed: "Renewed", reused: "Reused" }[status];
  return [
    ...(authorityCreated ? [`Made a development CA: ${caFile}`] : []),
    `${verb} ${relativePath(certFile)}`,
    `  key    ${relativePath(keyFile)}`,
    `  names  ${names.join(", ")}`,
    `  until  ${day(certificate.notAfter)}`,
    ...(hash ? [`  hash   sha-256 ${sha256(certificate.cert)}`] : []),
    "",
  ].join("\n");
}

/** Returns one line about a certificate that has been renewed meanwhile. */
export function renewalLine({ certFile, notAfter }: DevCertificate): string {
  return `Renewed ${relativePath(certFile)} until ${day(notAfter)}`;
}

/** Returns the lines that make Node, curl and browsers trust the CA in `caFile`. */
export function trustAdvice(caFile: string, location: AuthorityLocation = {}): string {
  const install = ["hauberk", "ca", "install", ...locationArguments(location)];
  return [
    "Trust it",
    `  Node      export NODE_EXTRA_CA_CERTS=${shellQuote(caFile)}`,
    `  curl      curl --cacert ${shellQuote(caFile)} https://...`,
    `  browsers  ${install.map(shellQuote).join(" ")}`,
    "",
  ].join("\n");
}

function sha256(pem: string): string {
  return createHash("sha256").update(new X509Certificate(pem).raw).digest("base64");
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** Returns a path as short as it can be written from here. */
export function relativePath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith("..") ? path : fromHere;
}

function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
