import { X509Certificate, type KeyObject } from "node:crypto";
import type { Authority } from "./authority.ts";
import {
  EXTENSION,
  readAlternativeNames,
  readBasicConstraints,
  readExtendedKeyUsages,
  readKeyUsages,
} from "./certificate-extensions.ts";
import { readCertificate, type CertificateDetails } from "./certificate-reader.ts";
import {
  isSignedByItsKey,
  readCertificateRequest,
  requestDer,
  type CertificateRequest,
} from "./certificate-request.ts";
import { ATTRIBUTE, formatDistinguishedName } from "./distinguished-name.ts";
import { CertError } from "./errors.ts";
import {
  LEAF_OPTION_KEYS,
  leafSettings,
  signLeaf,
  type LeafOptions,
  type SignedCertificate,
} from "./issue.ts";
import { keyKind, keyName } from "./key-pair.ts";
import { checkOptionKeys } from "./options.ts";
import { quote } from "./quote.ts";
import { isBrokenScheme, signatureScheme } from "./signature-algorithm.ts";
import { parseSubjectNames, type SubjectName } from "./subject-names.ts";

const MIN_RSA_BITS = 2048;
/** Beyond this a handshake costs the server ten times that of RSA-4096 and protects nothing more. */
const MAX_RSA_BITS = 8192;
/** NIST SP 800-56B section 6.2; with a small exponent sloppy verifiers accept forgeries. */
const MIN_RSA_EXPONENT = 65537n;

const KNOWN_EXTENSIONS: ReadonlySet<string> = new Set([
  EXTENSION.subjectAltName,
  EXTENSION.basicConstraints,
  EXTENSION.keyUsage,
  EXTENSION.extendedKeyUsage,
  EXTENSION.subjectKeyIdentifier,
]);

/** Options of `issueFromRequest`: those of `issueCertificate` but for the names and the key. */
export interface IssueFromRequestOptions extends LeafOptions {}

/** A certificate for the key of a request. */
export interface RequestedCertificate extends SignedCertificate {
  /** What the request asked for and did not get, such as "basicConstraints CA:TRUE". */
  readonly dropped: readonly string[];
}

/**
 * Issues a certificate for a certificate signing request (PKCS#10, PEM or DER).
 * Of the request only the key and the names count: what the certificate may be used for is decided
 * here. A request without subjectAltName is taken to mean its common name.
 *
 * @throws {SyntaxError} If the request cannot be read
 * @throws {TypeError} If an option is unknown or malformed
 * @throws {RangeError} If `days` is out of range
 * @throws {CertError} ERR_CERT_REQUEST_REFUSED when its signature does not prove the key, the key or
 *   the hash is weak, or a name is missing, malformed or one too many
 * @throws {CertError} what `issueCertificate` throws
 * @see RFC 2986
 */
export async function issueFromRequest(
  authority: Authority,
  request: string | Uint8Array,
  options: IssueFromRequestOptions = {},
): Promise<RequestedCertificate> {
  checkOptionKeys("issueFromRequest", options, LEAF_OPTION_KEYS);
  const wanted = readCertificateRequest(requestDer(request));
  assertTrustworthy(wanted);
  const settings = leafSettings(authority, requestedNames(wanted), options);
  const signed = await signLeaf(authority, wanted.publicKey, settings);
  const issued = readCertificate(new X509Certificate(signed.cert));
  return { ...signed, dropped: [...droppedSubject(wanted, signed), ...dropped(wanted, issued)] };
}

function assertTrustworthy(request: CertificateRequest): void {
  const keyReason = keyFault(request.publicKey);
  if (keyReason !== undefined) throw refusal(keyReason);
  const { name, digest } = signatureScheme(request.signatureAlgorithm);
  if (isBrokenScheme(name)) throw refusal(`it is signed with ${name}, whose hash is broken`);
  if (digest === undefined) throw refusal(`it is signed with ${name}, which is not supported`);
  if (!isSignedByItsKey(request)) {
    throw refusal("its signature does not fit its key, so nothing proves who holds the key");
  }
}

function keyFault(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType !== "rsa") {
    return keyKind(key) === undefined
      ? `its key is of kind ${keyName(key)}; P-256, P-384, Ed25519 and RSA are taken`
      : undefined;
  }
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < MIN_RSA_BITS || modulusLength > MAX_RSA_BITS) {
    return `its RSA key has ${modulusLength} bits, ${MIN_RSA_BITS} to ${MAX_RSA_BITS} are allowed`;
  }
  return publicExponent < MIN_RSA_EXPONENT
    ? `its RSA key has the exponent ${publicExponent}, at least ${MIN_RSA_EXPONENT} is allowed`
    : undefined;
}

function requestedNames(request: CertificateRequest): SubjectName[] {
  const extension = request.extensions.get(EXTENSION.subjectAltName);
  const listed = extension === undefined ? undefined : readAlternativeNames(extension.value).names;
  const texts = listed?.map(({ value }) => value) ?? commonNames(request);
  if (texts.length === 0) throw refusal("it holds no name that a certificate can carry");
  try {
    for (const { type, value } of listed ?? []) assertOfType(type, value);
    return parseSubjectNames(texts);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw refusal(cause.message.replace(/^names must hold/, "it must hold"), { cause });
  }
}

/** A name must mean what it says: as a DNS name "10.0.0.1" matches nothing, or too much. */
function assertOfType(type: SubjectName["type"], value: string): void {
  const [parsed] = parseSubjectNames([value]);
  if (parsed?.type === type) return;
  throw refusal(`it lists ${quote(value)} as ${type} name, but that is ${parsed?.type}`);
}

function commonNames({ subject }: CertificateRequest): string[] {
  return subject.filter(({ type }) => type === ATTRIBUTE.commonName).map(({ value }) => value);
}

function droppedSubject({ subject }: CertificateRequest, { names }: SignedCertificate): string[] {
  return subject
    .filter(({ type, value }) => type !== ATTRIBUTE.commonName || !names.includes(value))
    .map((attribute) => `subject ${formatDistinguishedName([attribute])}`);
}

function dropped({ extensions }: CertificateRequest, issued: CertificateDetails): string[] {
  const lists = [
    ["keyUsage", EXTENSION.keyUsage, readKeyUsages, issued.keyUsages],
    [
      "extendedKeyUsage",
      EXTENSION.extendedKeyUsage,
      readExtendedKeyUsages,
      issued.extendedKeyUsages,
    ],
  ] as const;
  const usages = lists.flatMap(([label, id, read, granted = []]) => {
    const value = extensions.get(id)?.value;
    const missing = (value === undefined ? [] : read(value)).filter(
      (usage) => !granted.some((one) => one === usage),
    );
    return missing.length === 0 ? [] : [`${label} ${missing.join(", ")}`];
  });
  const basic = extensions.get(EXTENSION.basicConstraints)?.value;
  const names = extensions.get(EXTENSION.subjectAltName)?.value;
  const isAuthority = basic !== undefined && readBasicConstraints(basic).isAuthority;
  const foreign = names === undefined ? [] : readAlternativeNames(names).foreignTags;
  return [
    ...(isAuthority ? ["basicConstraints CA:TRUE"] : []),
    ...usages,
    ...(foreign.length > 0 ? ["names of other types in subjectAltName"] : []),
    ...[...extensions.keys()]
      .filter((id) => !KNOWN_EXTENSIONS.has(id))
      .map((id) => `extension ${id}`),
  ];
}

function refusal(reason: string, options?: ErrorOptions): CertError {
  return new CertError("ERR_CERT_REQUEST_REFUSED", `Cannot sign the request: ${reason}`, options);
}
