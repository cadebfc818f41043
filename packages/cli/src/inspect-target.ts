import { statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** What `hauberk inspect` is to look at. */
export type InspectTarget =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "server"; readonly host: string; readonly port: number };

const HTTPS_PORT = 443;

/**
 * Returns whether a text is a file or a server: a file when there is one of that name or the text is
 * "-", a server when it has the form host:port or https://host, else a file that will not be found.
 */
export function inspectTarget(text: string): InspectTarget {
  if (text === "-" || statSync(text, { throwIfNoEntry: false }) !== undefined) {
    return { kind: "file", path: text };
  }
  const url = /^https:\/\/(\[[^\]]*\]|[^/:]+)(?::(\d+))?(?:\/.*)?$/i.exec(text);
  const [, host, port = String(HTTPS_PORT)] =
    url ?? /^(\[[0-9A-Fa-f:.]+\]|[^/:\\]+):(\d{1,5})$/.exec(text) ?? [];
  return host === undefined
    ? { kind: "file", path: text }
    : { kind: "server", host, port: Number(port) };
}

/** Returns where the private key of a certificate usually lies: beside it, by the names of common tools. */
export function keyPathsBeside(path: string): string[] {
  if (path === "-") return [];
  const stem = basename(path).replace(/\.[^.]*$/, "");
  const names = [`${stem}-key.pem`, `${stem}.key`, `${stem.replace(/-chain$/, "")}-key.pem`];
  const isCertbot = /^(?:cert|chain|fullchain)\d*$/.exec(stem);
  if (isCertbot !== null) names.push(`privkey${/\d*$/.exec(stem)?.[0] ?? ""}.pem`);
  return names.filter((name) => name !== basename(path)).map((name) => join(dirname(path), name));
}
