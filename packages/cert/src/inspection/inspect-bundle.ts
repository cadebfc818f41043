import { createPublicKey, type KeyObject } from "node:crypto";
import { readCertificate } from "../certificate-reader.ts";
import { CertError } from "../errors.ts";
import { summarizeCertificate, type CertificateSummary } from "../inspect.ts";
import { keyName } from "../key-pair.ts";
import { checkOptionKeys, dateOption } from "../options.ts";
import { isBrokenScheme } from "../signature-algorithm.ts";
import { readBundle, type Bundle, type BundleEntry, type BundleFormat } from "./bundle.ts";
import { judgeCertificate, judgeDnsName, judgeKey } from "./certificate-findings.ts";
import { judgeChain } from "./chain-findings.ts";
import type { Finding, FindingCode, Severity } from "./finding.ts";
import { summarizeRequest, type RequestSummary } from "./request-summary.ts";

/** Options of `inspectBundle`. */
export interface InspectBundleOptions {
  /**
   * Opens PKCS#12 and encrypted keys.
   *
   * @default none; encrypted keys in PEM are then shown as locked
   */
  readonly password?: string | undefined;
  /** A private key, PEM or DER, that should belong to the first certificate; passed over if locked or damaged. */
  readonly privateKey?: string | Uint8Array | undefined;
  /**
   * Present time, against which validity is judged.
   *
   * @default the system clock
   */
  readonly now?: Date | undefined;
}

const OPTION_KEYS = {
  password: true,
  privateKey: true,
  now: true,
} satisfies Record<keyof InspectBundleOptions, true>;

/** One thing in the input, in plain values. */
export type InspectedEntry =
  | { readonly kind: "certificate"; readonly certificate: CertificateSummary }
  | { readonly kind: "request"; readonly request: RequestSummary }
  | { readonly kind: "private-key"; readonly key: string }
  | { readonly kind: "public-key"; readonly key: string }
  /** A private key that is encrypted, when no password was given. */
  | { readonly kind: "locked-key" }
  | { readonly kind: "other"; readonly label: string }
  | { readonly kind: "unreadable"; readonly label: string; readonly reason: string };

/** What an input holds and what is wrong with it. Plain values: JSON shows all of it. */
export interface Inspection {
  readonly format: BundleFormat;
  readonly entries: readonly InspectedEntry[];
  /** The worst first; within a severity in the order of the input. */
  readonly findings: readonly Finding[];
}

const SEVERITIES: readonly Severity[] = ["error", "warning", "note"];

/**
 * Returns what certificates, requests and keys say, and what is wrong with each and with their order.
 * Takes PEM, DER or PKCS#12 of at most 4 MiB; asks nobody else and trusts nothing.
 *
 * @throws {TypeError} If an option is unknown or malformed
 * @throws {RangeError} If the input is too long
 * @throws {SyntaxError} If it is none of the three forms, or damaged as a whole
 * @throws {CertError} ERR_CERT_PASSWORD when the password is wrong, or PKCS#12 needs one
 */
export async function inspectBundle(
  input: string | Uint8Array,
  options: InspectBundleOptions = {},
): Promise<Inspection> {
  checkOptionKeys("inspectBundle", options, OPTION_KEYS);
  const now = dateOption("now", options.now);
  const bundle = await readBundle(input, options.password);
  return judgeBundle(bundle, now, await readKeyBeside(options.privateKey));
}

async function readKeyBeside(
  content: string | Uint8Array | undefined,
): Promise<KeyObject | undefined> {
  if (content === undefined) return undefined;
  try {
    const { entries } = await readBundle(content, undefined);
    return entries.find((entry) => entry.kind === "private-key")?.key;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof CertError) return undefined;
    throw error;
  }
}

/** Returns what a bundle says; `key` should belong to its first certificate. */
export function judgeBundle(bundle: Bundle, now: Date, key?: KeyObject): Inspection {
  const judged = bundle.entries.map((entry, index) => judgeEntry(entry, index, now));
  const chain = bundle.entries.flatMap((entry, index) =>
    entry.kind === "certificate" ? [{ certificate: entry.certificate, entry: index }] : [],
  );
  const findings = [
    ...judged.flatMap(({ findings: own }) => own),
    ...judgeChain(chain),
    ...judgeKeys(bundle.entries, key),
  ];
  return {
    format: bundle.format,
    entries: judged.map(({ entry }) => entry),
    findings: findings.toSorted(
      (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
    ),
  };
}

interface JudgedEntry {
  readonly entry: InspectedEntry;
  readonly findings: readonly Finding[];
}

function judgeEntry(entry: BundleEntry, index: number, now: Date): JudgedEntry {
  const judged = (
    shown: InspectedEntry,
    faults: readonly Omit<Finding, "entry">[],
  ): JudgedEntry => ({
    entry: shown,
    findings: faults.map((one) => ({ ...one, entry: index })),
  });
  try {
    if (entry.kind === "certificate") {
      const details = readCertificate(entry.certificate);
      const summary = summarizeCertificate(entry.certificate);
      const shown = { kind: entry.kind, certificate: summary };
      return judged(shown, judgeCertificate({ summary, details, now }));
    }
    if (entry.kind === "request") {
      const request = summarizeRequest(entry.request);
      return judged({ kind: entry.kind, request }, judgeRequest(request));
    }
    if (entry.kind === "private-key" || entry.kind === "public-key") {
      const key = keyName(entry.key);
      return judged({ kind: entry.kind, key }, judgeKey(key));
    }
    const isUnreadable = entry.kind === "unreadable";
    return judged(entry, isUnreadable ? [fault("error", "unreadable", entry.reason)] : []);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const label = entry.kind.toUpperCase();
    const shown = { kind: "unreadable", label, reason: error.message } as const;
    return judged(shown, [fault("error", "unreadable", error.message)]);
  }
}

function judgeRequest(request: RequestSummary): Omit<Finding, "entry">[] {
  const { signatureAlgorithm, isSignatureValid, subjectNames, asksForAuthority } = request;
  const isBroken = isBrokenScheme(signatureAlgorithm);
  return [
    ...judgeKey(request.key),
    ...(isBroken
      ? [
          fault(
            "error",
            "weak-signature",
            `it is signed with ${signatureAlgorithm}, whose hash is broken`,
          ),
        ]
      : []),
    ...(isSignatureValid || isBroken
      ? []
      : [fault("error", "bad-signature", "its signature does not fit its key")]),
    ...(subjectNames.length > 0
      ? []
      : [fault("warning", "no-names", "it has no subjectAltName, where CAs look for the names")]),
    ...(asksForAuthority ? [fault("warning", "asks-for-authority", "it asks to become a CA")] : []),
    ...subjectNames
      .filter(({ type }) => type === "dns")
      .flatMap(({ value }) => judgeDnsName(value)),
  ];
}

/** Every private key should belong to a certificate or request here, the one beside it to the first. */
function judgeKeys(entries: readonly BundleEntry[], beside: KeyObject | undefined): Finding[] {
  const owners = entries.flatMap((entry) => {
    if (entry.kind === "certificate") return [fingerprintOf(() => entry.certificate.publicKey)];
    return entry.kind === "request" ? [fingerprintOf(() => entry.request.publicKey)] : [];
  });
  if (owners.length === 0) return [];
  const strangers = entries.flatMap((entry, index): Finding[] => {
    if (entry.kind !== "private-key") return [];
    const own = fingerprintOf(() => createPublicKey(entry.key));
    if (owners.includes(own)) return [];
    const message = "it is the key of no certificate here";
    return [{ severity: "error", code: "key-mismatch", message, entry: index }];
  });
  if (beside === undefined || fingerprintOf(() => createPublicKey(beside)) === owners[0]) {
    return strangers;
  }
  const message = "the key beside it is not the key of the first certificate";
  return [...strangers, { severity: "error", code: "key-mismatch", message, entry: 0 }];
}

function fingerprintOf(key: () => KeyObject): string {
  try {
    return key().export({ type: "spki", format: "der" }).toString("base64");
  } catch {
    // A key that OpenSSL cannot read belongs to nothing.
    return "";
  }
}

function fault(severity: Severity, code: FindingCode, message: string): Omit<Finding, "entry"> {
  return { severity, code, message };
}
