import { isIP } from "node:net";
import { rootCertificates } from "node:tls";
import { toPem } from "../pem.ts";
import { checkOptionKeys, dateOption, integerOption } from "../options.ts";
import { quote } from "../quote.ts";
import type { BundleEntry } from "./bundle.ts";
import type { Finding, FindingCode } from "./finding.ts";
import { canonicalHost } from "./host-match.ts";
import { judgeBundle, type Inspection } from "./inspect-bundle.ts";
import { readX509Der } from "../inspect.ts";
import type { RejectionCode } from "./path-rules.ts";
import { shakeHands, type ServerAddress, type ServerHandshake } from "./server-handshake.ts";
import {
  verifyCertificate,
  type CertificateInput,
  type Verdict,
  type VerifyOptions,
} from "./verify-certificate.ts";

/** Options of `inspectServer`. */
export interface InspectServerOptions {
  /** Host name or IP address to connect to. */
  readonly host: string;
  /**
   * Port, integer 1 to 65535.
   *
   * @default 443
   */
  readonly port?: number | undefined;
  /**
   * The name to ask for (SNI) and to hold the certificate to.
   *
   * @default `host`
   */
  readonly serverName?: string | undefined;
  /**
   * The roots to judge trust by.
   *
   * @default those Node trusts, NODE_EXTRA_CA_CERTS included
   */
  readonly authorities?: CertificateInput | undefined;
  /**
   * Longest wait for connection and handshake. Milliseconds, integer 1 to 600000.
   *
   * @default 10000
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Present time, against which validity is judged.
   *
   * @default the system clock
   */
  readonly now?: Date | undefined;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
}

const OPTION_KEYS = {
  host: true,
  port: true,
  serverName: true,
  authorities: true,
  timeoutMs: true,
  now: true,
  signal: true,
} satisfies Record<keyof InspectServerOptions, true>;

/** What a TLS server shows of itself, and what is wrong with it. */
export interface ServerInspection extends Inspection {
  /** What was agreed, such as "TLSv1.3"; undefined when the server refused us at the end. */
  readonly protocol: string | undefined;
  readonly cipher: string | undefined;
  /** The name asked for; undefined for an address. */
  readonly serverName: string | undefined;
  /** Whether the entries stand in the order in which the server sent them. */
  readonly isChainAsSent: boolean;
}

/** What `judgeBundle` has said already, with other words. */
const TOLD_ELSEWHERE: ReadonlySet<RejectionCode> = new Set([
  "expired",
  "not-yet-valid",
  "unknown-critical-extension",
  "weak-key",
  "weak-signature",
]);

/**
 * Connects to a TLS server, accepts whatever certificate it shows, and judges it: each certificate,
 * the chain as it was sent, the host name, and trust.
 *
 * @throws {TypeError} If an option is unknown or malformed
 * @throws {RangeError} If a number is out of range
 * @throws {CertError} ERR_CERT_CONNECTION when there is no server, no TLS or no answer in time
 */
export async function inspectServer(options: InspectServerOptions): Promise<ServerInspection> {
  checkOptionKeys("inspectServer", options, OPTION_KEYS);
  const address = addressOptions(options);
  const now = dateOption("now", options.now);
  const handshake = await shakeHands(address);
  const entries = handshake.certificates.map(readEntry);
  const inspection = judgeBundle({ format: "tls", entries }, now);
  const wantedName = address.serverName ?? canonicalHost(address.host);
  const findings = [
    ...(await judgeTrust(handshake, { name: wantedName, authorities: options.authorities, now })),
    ...judgeLeaf(inspection),
    ...inspection.findings,
  ];
  return {
    ...inspection,
    findings,
    protocol: handshake.protocol,
    cipher: handshake.cipher,
    serverName: address.serverName,
    isChainAsSent: handshake.isAsSent,
  };
}

function addressOptions(options: InspectServerOptions): ServerAddress {
  const { host, serverName, signal } = options;
  for (const [path, value] of Object.entries({ host, serverName: serverName ?? host })) {
    if (typeof value === "string" && /^[^\s\p{Cc}/@]{1,255}$/u.test(value)) continue;
    throw new TypeError(`${path} must be a host name or an IP address, got ${quote(value)}`);
  }
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  const name = canonicalHost(serverName ?? bare);
  return {
    host: bare,
    port: integerOption("port", options.port, { fallback: 443, min: 1, max: 65_535 }),
    serverName: isIP(name) === 0 ? name : undefined,
    timeoutMs: integerOption("timeoutMs", options.timeoutMs, {
      fallback: 10_000,
      min: 1,
      max: 600_000,
    }),
    signal,
  };
}

function readEntry(der: Buffer): BundleEntry {
  try {
    return { kind: "certificate", certificate: readX509Der(der) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { kind: "unreadable", label: "CERTIFICATE", reason: error.message };
  }
}

interface TrustQuestion {
  readonly name: string;
  readonly authorities: CertificateInput | undefined;
  readonly now: Date;
}

/** Asks Node first: only it knows the roots that were given to it by environment and flags. */
async function judgeTrust(
  { certificates, isTrustedByNode }: ServerHandshake,
  { name, authorities, now }: TrustQuestion,
): Promise<Finding[]> {
  if (certificates.length === 0 || (authorities === undefined && isTrustedByNode)) return [];
  const chain = certificates.map((der) => toPem("CERTIFICATE", der)).join("");
  const verdict = await verifyOrReason(chain, {
    authorities: authorities ?? [...rootCertificates],
    host: name,
    now,
  });
  if (verdict === undefined) return [];
  const code: FindingCode = verdict.code === "host-mismatch" ? "host-mismatch" : "untrusted";
  return [{ severity: "error", code, message: verdict.reason, entry: verdict.entry }];
}

interface Doubt {
  readonly code: RejectionCode;
  readonly reason: string;
  readonly entry: number | undefined;
}

async function verifyOrReason(chain: string, options: VerifyOptions): Promise<Doubt | undefined> {
  const verdict = await verifyUnlessUnreadable(chain, options);
  if (verdict?.kind !== "invalid" || TOLD_ELSEWHERE.has(verdict.code)) return undefined;
  const { code, reason, isLeaf, subject } = verdict;
  if (isLeaf) return { code, reason, entry: 0 };
  const above = `the certificate of ${quote(subject)} above it: ${reason}`;
  return { code, reason: above, entry: undefined };
}

async function verifyUnlessUnreadable(
  chain: string,
  options: VerifyOptions,
): Promise<Verdict | undefined> {
  try {
    return await verifyCertificate(chain, options);
  } catch (error) {
    // Each certificate that cannot be read is a finding already.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function judgeLeaf({ entries }: Inspection): Finding[] {
  const [leaf] = entries;
  if (leaf?.kind !== "certificate" || !leaf.certificate.isAuthority) return [];
  const message = "it is a CA: whoever gets the key of this server can sign for others";
  return [{ severity: "warning", code: "authority-as-leaf", message, entry: 0 }];
}
