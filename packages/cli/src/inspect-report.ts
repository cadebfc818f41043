import type { CertificateSummary } from "@hauberk/cert";
import type {
  Finding,
  InspectedEntry,
  Inspection,
  RequestSummary,
  ServerInspection,
} from "@hauberk/cert/inspect";

const DAY_MS = 86_400_000;
const KEY_NAMES: Readonly<Record<string, string>> = {
  p256: "P-256",
  p384: "P-384",
  secp521r1: "P-521",
  ed25519: "Ed25519",
  ed448: "Ed448",
};
const FORMAT_NAMES = { pem: "PEM", der: "DER", pkcs12: "PKCS#12", tls: "TLS" } as const;

type Row = readonly [label: string, value: string];

/** Returns an inspection as text for people, safe to show in a terminal. */
export function inspectionText(target: string, inspection: Inspection, now: Date): string {
  const { entries, findings } = inspection;
  const blocks = entries.map((entry, index) => block(index + 1, rows(entry, now)));
  const lines = [heading(target, inspection), ...blocks, ...findingLines(findings), ""];
  return printable(lines.join("\n"));
}

/** Makes control characters and marks that turn the direction of writing visible. */
export function printable(text: string): string {
  return text.replace(
    /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** Returns a date to the minute, in UTC. */
export function minute(date: Date): string {
  return date.toISOString().slice(0, 16).replace("T", " ");
}

function heading(target: string, inspection: Inspection): string {
  const format = FORMAT_NAMES[inspection.format];
  const count = `${inspection.entries.length} ${inspection.entries.length === 1 ? "entry" : "entries"}`;
  return `${target}: ${isServer(inspection) ? serverHeading(inspection) : format}, ${count}\n`;
}

function isServer(inspection: Inspection): inspection is ServerInspection {
  return "isChainAsSent" in inspection;
}

function serverHeading({ protocol, cipher, serverName }: ServerInspection): string {
  const agreed = protocol === undefined ? "handshake refused" : `${protocol}, ${cipher ?? ""}`;
  return `${agreed}${serverName === undefined ? "" : `, asked for ${serverName}`}`;
}

function block(number: number, [first, ...rest]: readonly Row[]): string {
  const line = (lead: string, [label, value]: Row): string =>
    `${lead}  ${label.padEnd(11)}  ${value}`;
  const lead = String(number).padStart(2);
  const lines = [
    ...(first === undefined ? [] : [line(lead, first)]),
    ...rest.map((row) => line("  ", row)),
  ];
  return `${lines.join("\n")}\n`;
}

function rows(entry: InspectedEntry, now: Date): Row[] {
  if (entry.kind === "certificate") return certificateRows(entry.certificate, now);
  if (entry.kind === "request") return requestRows(entry.request);
  if (entry.kind === "private-key") return [["private key", keyLabel(entry.key)]];
  if (entry.kind === "public-key") return [["public key", keyLabel(entry.key)]];
  if (entry.kind === "locked-key") {
    return [["private key", "encrypted; set HAUBERK_PASSWORD to look inside"]];
  }
  return [[entry.kind, entry.label]];
}

function certificateRows(certificate: CertificateSummary, now: Date): Row[] {
  const { notBefore, notAfter, isAuthority, isSelfSigned, pathLength } = certificate;
  const left = Math.floor((notAfter.getTime() - now.getTime()) / DAY_MS);
  const remains = left >= 0 ? `, ${left} days left` : "";
  return [
    ["certificate", certificate.subject || "(no subject)"],
    ["issuer", isSelfSigned ? "itself" : certificate.issuer],
    ...(certificate.names.length > 0 ? [["names", certificate.names.join(", ")] as const] : []),
    ["valid", `${minute(notBefore)} to ${minute(notAfter)} UTC${remains}`],
    ["key", keyLabel(certificate.key)],
    ["signature", certificate.signatureAlgorithm],
    ["usage", usageLabel(certificate)],
    ...(isAuthority ? [["CA", authorityLabel(pathLength)] as const] : []),
    ...constraintRows(certificate),
    ["serial", certificate.serialNumber],
    ["SHA-256", certificate.fingerprint256],
    ["SHA-1", certificate.fingerprint],
  ];
}

function authorityLabel(pathLength: number | undefined): string {
  if (pathLength === 0) return "may sign leaves";
  const limit = pathLength === undefined ? "any number of them" : `at most ${pathLength}`;
  return `may sign leaves and other CAs, ${limit} in a row`;
}

function constraintRows({ nameConstraints }: CertificateSummary): Row[] {
  if (nameConstraints === undefined) return [];
  return (["permitted", "excluded"] as const).flatMap((direction): Row[] => {
    const { dns, ip, email, uri } = nameConstraints[direction];
    const hosts = [...dns, ...ip];
    // A development CA repeats its host names for mailboxes and URIs.
    const others = [...email, ...uri].filter((value) => !dns.includes(value.replace(/^\./, "")));
    const all = [...hosts, ...others];
    return all.length === 0 ? [] : [[direction, all.join(", ")]];
  });
}

function requestRows(request: RequestSummary): Row[] {
  return [
    ["request", request.subject || "(no subject)"],
    ...(request.names.length > 0 ? [["names", request.names.join(", ")] as const] : []),
    ["key", keyLabel(request.key)],
    [
      "signature",
      `${request.signatureAlgorithm}${request.isSignatureValid ? "" : ", not by this key"}`,
    ],
    ["asks for", [...(request.asksForAuthority ? ["CA"] : []), usageLabel(request)].join("; ")],
  ];
}

function usageLabel({
  keyUsages,
  extendedKeyUsages,
}: Pick<CertificateSummary, "keyUsages" | "extendedKeyUsages">): string {
  return [...usageList(keyUsages), ...usageList(extendedKeyUsages)].join("; ") || "everything";
}

function usageList(usages: readonly string[] | undefined): string[] {
  return usages === undefined ? [] : [usages.join(", ") || "nothing"];
}

function keyLabel(key: string): string {
  const bits = /^rsa(\d+)$/.exec(key)?.[1];
  return bits === undefined ? (KEY_NAMES[key] ?? key) : `RSA of ${bits} bits`;
}

function findingLines(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return ["Nothing wrong."];
  const isWrong = findings.some(({ severity }) => severity !== "note");
  return [
    ...(isWrong ? [] : ["Nothing wrong. Worth knowing:"]),
    ...findings.map(({ severity, message, entry }) => {
      const place = entry === undefined ? "" : `number ${entry + 1}: `;
      return `  ${severity.padEnd(7)}  ${place}${message}`;
    }),
  ];
}
