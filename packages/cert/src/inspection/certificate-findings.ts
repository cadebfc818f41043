import { isIP } from "node:net";
import { PROCESSED_EXTENSIONS } from "../certificate-extensions.ts";
import type { CertificateDetails } from "../certificate-reader.ts";
import { parseDnsName } from "../dns-name.ts";
import type { CertificateSummary } from "../inspect.ts";
import { quote } from "../quote.ts";
import { isBrokenScheme } from "../signature-algorithm.ts";
import type { Finding } from "./finding.ts";

type Fault = Omit<Finding, "entry">;

/** A certificate as the rules below look at it. */
export interface JudgedCertificate {
  readonly summary: CertificateSummary;
  readonly details: CertificateDetails;
  readonly now: Date;
}

const DAY_MS = 86_400_000;
const MIN_RSA_BITS = 2048;
/** Apple platforms refuse longer ones from any root, own ones included. */
const MAX_LIFETIME_DAYS = 825;
/** RFC 5280 section 4.1.2.2. */
const MAX_SERIAL_BYTES = 20;

/** Every rule for one certificate; each returns what it has to say, or nothing. */
const RULES: readonly ((certificate: JudgedCertificate) => Fault[])[] = [
  judgeValidity,
  ({ summary }) => judgeKey(summary.key),
  judgeSignature,
  judgeNames,
  judgePurpose,
  judgeForm,
];

/** Returns what is wrong with a certificate taken by itself. */
export function judgeCertificate(certificate: JudgedCertificate): Fault[] {
  return RULES.flatMap((rule) => rule(certificate));
}

/** Returns what is wrong with a kind of key, as `keyName` tells it. */
export function judgeKey(key: string): Fault[] {
  const bits = /^rsa(\d+)$/.exec(key)?.[1];
  if (bits !== undefined && Number(bits) < MIN_RSA_BITS) {
    const message = `its RSA key has ${bits} bits; clients want at least ${MIN_RSA_BITS}`;
    return [{ severity: "error", code: "weak-key", message }];
  }
  const curveBits = /^(?:sec[pt]|prime|brainpoolP|c2)\D*(\d+)/i.exec(key)?.[1];
  const isWeak = key === "dsa" || (curveBits !== undefined && Number(curveBits) < 256);
  if (!isWeak) return [];
  return [
    { severity: "error", code: "weak-key", message: `its key is of the kind ${key}, too weak` },
  ];
}

/** Returns what is wrong with a DNS name in subjectAltName. */
export function judgeDnsName(name: string): Fault[] {
  if (isIP(name) !== 0) {
    const message = `the address ${name} stands among the DNS names, where clients do not look for it`;
    return [{ severity: "warning", code: "address-as-dns", message }];
  }
  if (/^\*\.[^.*]+$/.test(name)) {
    const message = `the wildcard ${quote(name)} is right under a top-level name: Node.js and browsers refuse it`;
    return [{ severity: "warning", code: "wildcard-too-wide", message }];
  }
  // Underscores are no host names, but resolvers and certificates of internal services carry them.
  const parsed = parseDnsName(name.replaceAll("_", "-"));
  if (!("reason" in parsed)) return [];
  const message = `the name ${quote(name)} matches no host: ${parsed.reason}`;
  return [{ severity: "warning", code: "malformed-name", message }];
}

function judgeValidity({ summary, now }: JudgedCertificate): Fault[] {
  const { notBefore, notAfter, isAuthority } = summary;
  const faults: Fault[] = [];
  if (now > notAfter) {
    const message = `it expired on ${day(notAfter)}, ${days(now, notAfter)} ago`;
    faults.push({ severity: "error", code: "expired", message });
  }
  if (now < notBefore) {
    const message = `it is valid from ${notBefore.toISOString()}, in ${days(notBefore, now)}`;
    faults.push({ severity: "error", code: "not-yet-valid", message });
  }
  const lifetimeDays = Math.ceil((notAfter.getTime() - notBefore.getTime()) / DAY_MS);
  if (!isAuthority && lifetimeDays > MAX_LIFETIME_DAYS) {
    const message = `it is valid for ${lifetimeDays} days; Apple platforms refuse more than ${MAX_LIFETIME_DAYS}`;
    faults.push({ severity: "warning", code: "long-lived", message });
  }
  return faults;
}

function judgeSignature({ summary }: JudgedCertificate): Fault[] {
  const { signatureAlgorithm, isSelfSigned } = summary;
  // A trust anchor is trusted for what it is: nobody checks its signature.
  if (isSelfSigned || !isBrokenScheme(signatureAlgorithm)) return [];
  const message = `it is signed with ${signatureAlgorithm}, whose hash is broken`;
  return [{ severity: "error", code: "weak-signature", message }];
}

function judgeNames({ summary }: JudgedCertificate): Fault[] {
  const { subjectNames, isAuthority, subject } = summary;
  if (isAuthority) return [];
  if (subjectNames.length === 0) {
    const commonName = /(?:^|, )CN=(.*?)(?:, [A-Za-z]+=|$)/.exec(subject)?.[1];
    const ignored =
      commonName === undefined ? "" : `; they do not look at the common name ${quote(commonName)}`;
    const message = `it has no subjectAltName, where clients look for the host${ignored}`;
    return [{ severity: "error", code: "no-names", message }];
  }
  return subjectNames
    .filter(({ type }) => type === "dns")
    .flatMap(({ value }) => judgeDnsName(value));
}

function judgePurpose({ summary }: JudgedCertificate): Fault[] {
  const { extendedKeyUsages, isAuthority } = summary;
  if (isAuthority || extendedKeyUsages === undefined) return [];
  if (extendedKeyUsages.includes("serverAuth")) return [];
  const message = `it is for ${extendedKeyUsages.join(", ") || "nothing"}, not for TLS servers`;
  return [{ severity: "note", code: "no-server-auth", message }];
}

function judgeForm({ summary, details }: JudgedCertificate): Fault[] {
  const faults: Fault[] = [];
  if (details.version !== 3) {
    const message = `it is of version ${details.version}, which has no names and no limits`;
    faults.push({ severity: "warning", code: "version", message });
  }
  const { serialNumber: serial, isSelfSigned } = summary;
  const isOdd =
    serial.startsWith("-") || serial.length > 2 * MAX_SERIAL_BYTES || /^0*$/.test(serial);
  // Old roots bear the number 0, and nobody minds.
  if (isOdd && !isSelfSigned) {
    const message = "its serial number is not a positive one of at most 20 bytes";
    faults.push({ severity: "warning", code: "serial-number", message });
  }
  for (const [id, { isCritical }] of details.extensions) {
    if (!isCritical || PROCESSED_EXTENSIONS.has(id)) continue;
    const message = `its extension ${id} is critical, and clients that do not know it must refuse it`;
    faults.push({ severity: "error", code: "unknown-critical-extension", message });
  }
  return faults;
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function days(later: Date, earlier: Date): string {
  const count = Math.floor((later.getTime() - earlier.getTime()) / DAY_MS);
  return count === 1 ? "1 day" : `${count} days`;
}
