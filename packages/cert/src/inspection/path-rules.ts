import { isIP } from "node:net";
import { EXTENSION, foldHost, PROCESSED_EXTENSIONS } from "../certificate-extensions.ts";
import { ATTRIBUTE, readDistinguishedName } from "../distinguished-name.ts";
import { validity } from "../inspect.ts";
import { keyName } from "../key-pair.ts";
import { isPermitted } from "../name-constraints.ts";
import { quote } from "../quote.ts";
import { isBrokenScheme, signatureScheme } from "../signature-algorithm.ts";
import type { SubjectName } from "../subject-names.ts";
import { isSelfIssued, type PathCertificate } from "./certificate-path.ts";
import { judgeKey } from "./certificate-findings.ts";

/** Why a certificate is refused; stable, for programs. */
export type RejectionCode =
  | "bad-signature"
  | "expired"
  | "host-mismatch"
  | "malformed"
  | "name-not-permitted"
  | "not-an-authority"
  | "not-yet-valid"
  | "path-too-long"
  | "unknown-critical-extension"
  | "untrusted"
  | "weak-key"
  | "weak-signature"
  | "wrong-purpose";

/** A reason in plain words, about one certificate: "it expired on 2026-01-01". */
export interface Rejection {
  readonly code: RejectionCode;
  readonly reason: string;
}

/** What a certificate is to be used for. */
export type Purpose = "server" | "client" | "any";

/** One certificate of a path, as the rules look at it. */
export interface Step extends PathCertificate {
  /** Leaf first, root last. */
  readonly path: readonly PathCertificate[];
  readonly index: number;
  readonly now: Date;
  readonly purpose: Purpose;
}

type Rule = (step: Step) => Rejection | undefined;

const PURPOSE_IDS = { server: "serverAuth", client: "clientAuth", any: undefined } as const;
/** The key usages by which a key can take part in a handshake (OpenSSL's KU_TLS). */
const HANDSHAKE_USAGES = ["digitalSignature", "keyEncipherment", "keyAgreement"] as const;

/**
 * The rules of RFC 5280 section 6 and of section 4 as far as `openssl verify -x509_strict` has them.
 * Signatures are checked before, when the path is built.
 */
const RULES: readonly Rule[] = [
  checkPeriod,
  checkCriticalExtensions,
  checkForm,
  checkAuthority,
  checkPathLength,
  checkPurpose,
  checkStrength,
  checkConstraints,
];

/** Returns the first reason to refuse a certificate of a path, or undefined. */
export function rejectionOf(step: Step): Rejection | undefined {
  for (const rule of RULES) {
    const rejection = rule(step);
    if (rejection !== undefined) return rejection;
  }
  return undefined;
}

function checkPeriod({ certificate, now }: Step): Rejection | undefined {
  const { notBefore, notAfter } = validity(certificate);
  if (now > notAfter) {
    return { code: "expired", reason: `it expired on ${notAfter.toISOString()}` };
  }
  if (now >= notBefore) return undefined;
  return { code: "not-yet-valid", reason: `it is valid from ${notBefore.toISOString()}` };
}

/** @see RFC 5280 section 4.2 */
function checkCriticalExtensions({ details }: Step): Rejection | undefined {
  for (const [id, { isCritical }] of details.extensions) {
    if (!isCritical || PROCESSED_EXTENSIONS.has(id)) continue;
    const reason = `its extension ${id} is critical and not understood`;
    return { code: "unknown-critical-extension", reason };
  }
  if (!details.hasForeignConstraints) return undefined;
  const reason = "its name constraints limit names of types that are not understood";
  return { code: "unknown-critical-extension", reason };
}

/** The MUSTs of RFC 5280 section 4 that -x509_strict holds a certificate to. */
const FORM_FAULTS: readonly (readonly [reason: string, isAtFault: (step: Step) => boolean])[] = [
  [
    "it has extensions, which need version 3",
    ({ details }) => details.version !== 3 && details.extensions.size > 0,
  ],
  ["its issuer is empty", ({ details }) => isEmptyName(details.issuer)],
  [
    "its subject is empty, which no CA may be",
    (step) => isEmptyName(step.details.subject) && isAuthority(step),
  ],
  [
    "its subject is empty and its subjectAltName not critical",
    ({ details }) =>
      isEmptyName(details.subject) &&
      details.extensions.get(EXTENSION.subjectAltName)?.isCritical !== true,
  ],
  [
    "its subjectAltName is empty",
    ({ details }) =>
      details.extensions.has(EXTENSION.subjectAltName) &&
      details.subjectNames.length === 0 &&
      !details.hasForeignNames,
  ],
  [
    "it has a path length without being a CA",
    (step) => step.details.basicConstraints?.pathLength !== undefined && !isAuthority(step),
  ],
  [
    "it may sign certificates (keyCertSign) without being a CA",
    (step) => step.details.keyUsages?.includes("keyCertSign") === true && !isAuthority(step),
  ],
  [
    "it is a CA and has no subjectKeyIdentifier",
    (step) => isAuthority(step) && step.details.subjectKeyIdentifier === undefined,
  ],
  [
    "it does not name the key of its issuer (authorityKeyIdentifier)",
    ({ details, index, path }) =>
      details.version === 3 &&
      index < path.length - 1 &&
      !details.extensions.has(EXTENSION.authorityKeyIdentifier),
  ],
];

function checkForm(step: Step): Rejection | undefined {
  // OpenSSL asks nothing of a trusted certificate that stands alone.
  if (step.path.length === 1) return undefined;
  const fault = FORM_FAULTS.find(([, isAtFault]) => isAtFault(step));
  return fault === undefined ? undefined : { code: "malformed", reason: fault[0] };
}

/** @see RFC 5280 section 6.1.4 (k) and (n), section 4.2.1.9 */
function checkAuthority(step: Step): Rejection | undefined {
  const { details, index, path } = step;
  if (!isAuthority(step)) {
    const reason = "it has signed another certificate, but is no CA (basicConstraints)";
    return index === 0 ? undefined : { code: "not-an-authority", reason };
  }
  if (path.length === 1) return undefined;
  if (details.extensions.get(EXTENSION.basicConstraints)?.isCritical !== true) {
    return { code: "malformed", reason: "it is a CA and its basicConstraints are not critical" };
  }
  if (details.keyUsages === undefined) {
    return { code: "not-an-authority", reason: "it is a CA and has no key usage" };
  }
  if (index === 0 || details.keyUsages.includes("keyCertSign")) return undefined;
  return { code: "not-an-authority", reason: "its key may not sign certificates (key usage)" };
}

/** @see RFC 5280 section 6.1.4 (l) and (m) */
function checkPathLength({ details, index, path }: Step): Rejection | undefined {
  const limit = details.basicConstraints?.pathLength;
  const below = path.slice(1, index).filter((one) => !isSelfIssued(one)).length;
  if (index === 0 || limit === undefined || below <= limit) return undefined;
  const reason = `it allows ${limit} CAs below it, and there are ${below}`;
  return { code: "path-too-long", reason };
}

/** CAs must have the purpose as well if they name any, as in OpenSSL and browsers. */
function checkPurpose({ details, index, purpose }: Step): Rejection | undefined {
  const id = PURPOSE_IDS[purpose];
  if (id === undefined) return undefined;
  const { extendedKeyUsages, keyUsages } = details;
  if (extendedKeyUsages !== undefined && !extendedKeyUsages.includes(id)) {
    const listed = extendedKeyUsages.join(", ") || "nothing";
    return { code: "wrong-purpose", reason: `it is for ${listed}, not for ${id}` };
  }
  const usages =
    purpose === "client" ? (["digitalSignature", "keyAgreement"] as const) : HANDSHAKE_USAGES;
  if (index > 0 || keyUsages === undefined || usages.some((one) => keyUsages.includes(one))) {
    return undefined;
  }
  return { code: "wrong-purpose", reason: "its key usage allows no TLS handshake" };
}

function checkStrength({ certificate, details, index, path }: Step): Rejection | undefined {
  const key = keyOf(certificate);
  const [fault] = judgeKey(key);
  if (fault !== undefined) return { code: "weak-key", reason: fault.message };
  const { name } = signatureScheme(details.signatureAlgorithm);
  // A trusted root is trusted for what it is; nobody checks its signature.
  if (index === path.length - 1 || !isBrokenScheme(name)) return undefined;
  return { code: "weak-signature", reason: `it is signed with ${name}, whose hash is broken` };
}

/** @see RFC 5280 section 6.1.3 (b) and (c) */
function checkConstraints(step: Step): Rejection | undefined {
  const { index, path } = step;
  if (index > 0 && isSelfIssued(step)) return undefined;
  const names = constrainedNames(step);
  for (const { certificate, details } of path.slice(index + 1)) {
    const { nameConstraints } = details;
    if (nameConstraints === undefined) continue;
    const refused = names.find((name) => !isPermitted(nameConstraints, name));
    if (refused === undefined) continue;
    const reason = `its name ${quote(refused.value)} lies outside the name constraints of ${quote(subjectOf(certificate.subject))}`;
    return { code: "name-not-permitted", reason };
  }
  return undefined;
}

/** All names that count: also mailboxes in the subject, and a common name that clients could look at. */
function constrainedNames({ details, index }: Step): SubjectName[] {
  const attributes = readDistinguishedName(details.subject);
  const valuesOf = (wanted: string): string[] =>
    attributes.filter(({ type }) => type === wanted).map(({ value }) => value);
  const listed = details.subjectNames.map(({ type, value }) => ({
    type,
    value: type === "email" ? foldHost(value) : value.toLowerCase(),
  }));
  const mailboxes = valuesOf(ATTRIBUTE.emailAddress).map((value) => ({
    type: "email" as const,
    value: foldHost(value),
  }));
  const hasDnsName = listed.some(({ type }) => type === "dns");
  const isLookedAt = index === 0 && !hasDnsName;
  const hosts = (isLookedAt ? valuesOf(ATTRIBUTE.commonName) : [])
    .map((value) => value.toLowerCase())
    .filter((value) => isIP(value) === 0 && /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/.test(value))
    .map((value) => ({ type: "dns" as const, value }));
  return [...listed, ...mailboxes, ...hosts];
}

function isAuthority({ details }: PathCertificate): boolean {
  return details.basicConstraints?.isAuthority === true;
}

function isEmptyName(der: Buffer): boolean {
  return der.length <= 2;
}

function keyOf(certificate: PathCertificate["certificate"]): string {
  try {
    return keyName(certificate.publicKey);
  } catch {
    // OpenSSL cannot read the key; a signature it should have made has failed before.
    return "unknown";
  }
}

function subjectOf(subject: string | undefined): string {
  return (subject ?? "").split("\n").join(", ");
}
