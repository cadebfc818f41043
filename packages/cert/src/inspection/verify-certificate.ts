import { domainToASCII } from "node:url";
import { isIP } from "node:net";
import type { X509Certificate } from "node:crypto";
import { readCertificate } from "../certificate-reader.ts";
import { summarizeCertificate, type CertificateSummary } from "../inspect.ts";
import { checkOptionKeys, dateOption } from "../options.ts";
import { quote } from "../quote.ts";
import { readBundle } from "./bundle.ts";
import { findPaths, isRoot, type PathCertificate, type PathSearch } from "./certificate-path.ts";
import { canonicalHost, matchesHost } from "./host-match.ts";
import { rejectionOf, type Purpose, type Rejection, type RejectionCode } from "./path-rules.ts";

/** Certificates in PEM, DER or PKCS#12 without password, or several of these. */
export type CertificateInput = string | Uint8Array | readonly (string | Uint8Array)[];

/** Options of `verifyCertificate`. */
export interface VerifyOptions {
  /** The trusted roots. */
  readonly authorities: CertificateInput;
  /**
   * Certificates that may stand in between, besides those that follow the certificate itself.
   *
   * @default none
   */
  readonly intermediates?: CertificateInput | undefined;
  /**
   * The host name or IP address that the certificate has to be for.
   *
   * @default none: any name will do
   */
  readonly host?: string | undefined;
  /**
   * What the certificate has to be allowed for.
   *
   * @default "server"
   */
  readonly purpose?: Purpose | undefined;
  /**
   * The time to judge for.
   *
   * @default the system clock
   */
  readonly now?: Date | undefined;
}

const OPTION_KEYS = {
  authorities: true,
  intermediates: true,
  host: true,
  purpose: true,
  now: true,
} satisfies Record<keyof VerifyOptions, true>;

/** Whether a certificate stands, and by which path, or why not. */
export type Verdict =
  | {
      readonly kind: "valid";
      /** Leaf first, trusted root last. */
      readonly path: readonly CertificateSummary[];
    }
  | {
      readonly kind: "invalid";
      readonly code: RejectionCode;
      /** The subject of the certificate that is at fault; may be empty. */
      readonly subject: string;
      /** In plain words, about that certificate: "it expired on 2026-01-01T00:00:00.000Z". */
      readonly reason: string;
      /** Whether it is the certificate itself rather than one above it. */
      readonly isLeaf: boolean;
    };

const PURPOSES: readonly Purpose[] = ["server", "client", "any"];

/**
 * Judges a certificate as a TLS client that trusts only `authorities` would, and as strictly as
 * `openssl verify -x509_strict -auth_level 2`: path, signatures, dates, CA flags, path lengths, key
 * usages, purposes, name constraints, strength, host. Does not ask whether it was revoked.
 *
 * @param certificate PEM, DER or PKCS#12 without password; intermediate certificates may follow
 * @throws {TypeError} If an option is unknown or malformed
 * @throws {SyntaxError} If an input holds no certificate
 * @see RFC 5280 section 6, RFC 9525
 */
export async function verifyCertificate(
  certificate: string | Uint8Array,
  options: VerifyOptions,
): Promise<Verdict> {
  checkOptionKeys("verifyCertificate", options, OPTION_KEYS);
  const now = dateOption("now", options.now);
  const purpose = purposeOption(options.purpose);
  const host = hostOption(options.host);
  const [leaf, ...following] = await certificatesIn(certificate, "certificate");
  if (leaf === undefined) throw new SyntaxError("Cannot verify: the input holds no certificate");
  const { intermediates = [] } = options;
  const search = findPaths(
    leaf,
    [...following, ...(await allCertificatesIn(intermediates, "intermediates"))],
    await allCertificatesIn(options.authorities, "authorities"),
  );
  const verdicts = search.paths.map((path) => judgePath(path, { now, purpose, host }));
  return verdicts.find(({ kind }) => kind === "valid") ?? verdicts[0] ?? unfinished(search);
}

interface Demands {
  readonly now: Date;
  readonly purpose: Purpose;
  readonly host: string | undefined;
}

function judgePath(path: readonly PathCertificate[], demands: Demands): Verdict {
  const { now, purpose, host } = demands;
  for (const [index, one] of path.entries()) {
    const rejection = rejectionOf({ ...one, path, index, now, purpose });
    if (rejection !== undefined) return invalid(one, rejection, index === 0);
  }
  const [leaf] = path;
  if (leaf !== undefined && host !== undefined && !matchesHost(leaf.details.subjectNames, host)) {
    const names = leaf.details.subjectNames.map(({ value }) => value).join(", ");
    const listed = names === "" ? "has no names" : `is for ${quote(names)}`;
    const reason = `it ${listed}, not for ${quote(host)}`;
    return invalid(leaf, { code: "host-mismatch", reason }, true);
  }
  return { kind: "valid", path: path.map((one) => summarizeCertificate(one.certificate)) };
}

function unfinished({ deadEnd, impostor }: PathSearch): Verdict {
  const last = deadEnd.at(-1);
  if (last === undefined) throw new SyntaxError("Cannot verify: the input holds no certificate");
  const isLeaf = deadEnd.length === 1;
  if (impostor !== undefined) {
    const reason = `its signature is not by the key of ${quote(subjectOf(impostor.certificate))}`;
    return invalid(last, { code: "bad-signature", reason }, isLeaf);
  }
  const reason = isRoot(last)
    ? "it is self-signed and not among the trusted ones"
    : `its issuer ${quote(issuerOf(last.certificate))} is neither given nor trusted`;
  return invalid(last, { code: "untrusted", reason }, isLeaf);
}

function invalid(one: PathCertificate, rejection: Rejection, isLeaf: boolean): Verdict {
  return { kind: "invalid", ...rejection, subject: subjectOf(one.certificate), isLeaf };
}

async function allCertificatesIn(
  inputs: CertificateInput,
  path: string,
): Promise<PathCertificate[]> {
  const list = typeof inputs === "string" || inputs instanceof Uint8Array ? [inputs] : inputs;
  if (!Array.isArray(list)) throw new TypeError(`${path} must be PEM or DER, got ${quote(list)}`);
  const found: PathCertificate[] = [];
  for (const input of list) found.push(...(await certificatesIn(input, path)));
  return found;
}

async function certificatesIn(
  input: string | Uint8Array,
  path: string,
): Promise<PathCertificate[]> {
  if (typeof input !== "string" && !(input instanceof Uint8Array)) {
    throw new TypeError(`${path} must be PEM or DER, got ${quote(input)}`);
  }
  const { entries } = await readBundle(input, undefined);
  return entries.flatMap((entry) => {
    if (entry.kind === "unreadable") throw new SyntaxError(entry.reason);
    if (entry.kind !== "certificate") return [];
    return [{ certificate: entry.certificate, details: readCertificate(entry.certificate) }];
  });
}

function purposeOption(value: Purpose | undefined): Purpose {
  if (value === undefined) return "server";
  if (PURPOSES.includes(value)) return value;
  throw new TypeError(`purpose must be one of ${PURPOSES.join(", ")}, got ${quote(value)}`);
}

function hostOption(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const host = typeof value === "string" ? canonicalHost(value) : "";
  if (isIP(host) !== 0) return host;
  const ascii = domainToASCII(host);
  if (/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(ascii)) return ascii;
  throw new TypeError(`host must be a host name or an IP address, got ${quote(value)}`);
}

function subjectOf({ subject }: X509Certificate): string {
  return oneLine(subject);
}

function issuerOf({ issuer }: X509Certificate): string {
  return oneLine(issuer);
}

/** Node 20 has no subject at all where it is empty, against the type. */
function oneLine(name: string | undefined): string {
  return (name ?? "").split("\n").join(", ");
}
