import type { X509Certificate } from "node:crypto";
import type { CertificateDetails } from "../certificate-reader.ts";

/** A certificate on a path, read once. */
export interface PathCertificate {
  readonly certificate: X509Certificate;
  readonly details: CertificateDetails;
}

/** What the search found: complete paths, and where it got stuck otherwise. */
export interface PathSearch {
  /** Leaf first, trusted root last; every signature holds. */
  readonly paths: readonly (readonly PathCertificate[])[];
  /** The longest path that did not reach a trusted root. */
  readonly deadEnd: readonly PathCertificate[];
  /** A certificate that is named as issuer of the last one of `deadEnd` but did not sign it. */
  readonly impostor: PathCertificate | undefined;
}

/** OpenSSL stops at 100, browsers around ten. */
const MAX_LENGTH = 12;
/** Crafted sets of cross-signed certificates make exponentially many paths; Go stops at 100 as well. */
const MAX_SIGNATURES = 100;
const MAX_PATHS = 16;

/**
 * Looks for paths from a leaf to a trusted root over untrusted certificates.
 * As in OpenSSL and Node, only a certificate that names itself as its issuer is a root.
 *
 * @see RFC 4158
 */
export function findPaths(
  leaf: PathCertificate,
  untrusted: readonly PathCertificate[],
  trusted: readonly PathCertificate[],
): PathSearch {
  const roots = trusted.filter(isRoot);
  const rootPrints = new Set(roots.map(({ certificate }) => certificate.fingerprint256));
  const pool = [...roots, ...untrusted, ...trusted];
  const paths: (readonly PathCertificate[])[] = [];
  let signaturesLeft = MAX_SIGNATURES;
  let deadEnd: readonly PathCertificate[] = [];
  let impostor: PathCertificate | undefined;

  const extend = (path: readonly PathCertificate[]): void => {
    const last = path.at(-1);
    if (last === undefined || paths.length >= MAX_PATHS) return;
    if (rootPrints.has(last.certificate.fingerprint256)) {
      paths.push(path);
      return;
    }
    const isLongest = path.length > deadEnd.length;
    if (isLongest) [deadEnd, impostor] = [path, undefined];
    if (path.length >= MAX_LENGTH) return;
    for (const issuer of issuersOf(last, path, pool)) {
      if (signaturesLeft === 0) return;
      signaturesLeft -= 1;
      if (isSignedBy(last, issuer)) extend([...path, issuer]);
      else if (deadEnd === path) impostor ??= issuer;
    }
  };
  extend([leaf]);
  return { paths, deadEnd, impostor };
}

/** Whether subject and issuer are one, perhaps with two keys (RFC 5280 section 3.2). */
export function isSelfIssued({ details }: PathCertificate): boolean {
  return details.subject.equals(details.issuer);
}

/** Whether it is self-issued and its key identifiers do not speak of two keys. */
export function isRoot(certificate: PathCertificate): boolean {
  return isSelfIssued(certificate) && hasFittingKeyIds(certificate.details, certificate.details);
}

/** Returns those whose name and key identifier are the ones that `last` gives its issuer. */
function issuersOf(
  last: PathCertificate,
  path: readonly PathCertificate[],
  pool: readonly PathCertificate[],
): PathCertificate[] {
  const seen = new Set(path.map(({ certificate }) => certificate.fingerprint256));
  return pool.filter(({ certificate, details }) => {
    if (seen.has(certificate.fingerprint256)) return false;
    seen.add(certificate.fingerprint256);
    return isNamedIssuer(last, { certificate, details }) && hasFittingKeyIds(last.details, details);
  });
}

/** Equal bytes, or what OpenSSL takes for equal: case and spaces aside. */
function isNamedIssuer(subject: PathCertificate, issuer: PathCertificate): boolean {
  return (
    subject.details.issuer.equals(issuer.details.subject) ||
    subject.certificate.checkIssued(issuer.certificate)
  );
}

function hasFittingKeyIds(subject: CertificateDetails, issuer: CertificateDetails): boolean {
  const [wanted, present] = [subject.authorityKeyIdentifier, issuer.subjectKeyIdentifier];
  return wanted === undefined || present === undefined || wanted.equals(present);
}

function isSignedBy(subject: PathCertificate, issuer: PathCertificate): boolean {
  try {
    return subject.certificate.verify(issuer.certificate.publicKey);
  } catch {
    // OpenSSL throws on keys and algorithms that it does not know.
    return false;
  }
}
