import { createPublicKey, verify, type KeyObject } from "node:crypto";
import { readExtensions, type Extension } from "./certificate-extensions.ts";
import { children, DER_TAG, readElement, type DerElement } from "./der.ts";
import { readDistinguishedName, type NameAttribute } from "./distinguished-name.ts";
import { formatObjectIdentifier } from "./object-identifier.ts";
import { splitPem } from "./pem.ts";
import { signatureScheme } from "./signature-algorithm.ts";

/** What a PKCS#10 request asks for; nothing of it is checked yet. */
export interface CertificateRequest {
  readonly subject: readonly NameAttribute[];
  readonly publicKey: KeyObject;
  /** Dotted object identifier. */
  readonly signatureAlgorithm: string;
  /** The extensions asked for, by dotted object identifier. */
  readonly extensions: ReadonlyMap<string, Extension>;
  /** The part that is signed. */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** The first is of RFC 7468 section 7; the second is written by old tools, Microsoft's among them. */
export const REQUEST_LABELS: readonly string[] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/** PKCS#9 extensionRequest, and the number Microsoft uses for the same. */
const EXTENSION_REQUESTS: readonly string[] = ["1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14"];
const ATTRIBUTES_TAG = 0xa0;
const SEQUENCE_START = 0x30;

/**
 * Returns the DER of a request given as PEM or DER.
 *
 * @throws {SyntaxError} If it is neither
 */
export function requestDer(request: string | Uint8Array): Buffer {
  const bytes = Buffer.from(request);
  if (bytes[0] === SEQUENCE_START) return bytes;
  const block = splitPem(bytes.toString("utf8")).find(({ label }) =>
    REQUEST_LABELS.includes(label),
  );
  if (block !== undefined) return block.der;
  throw new SyntaxError("Cannot read a request: there is no CERTIFICATE REQUEST block");
}

/**
 * Reads a certificate signing request.
 *
 * @throws {SyntaxError} If it is malformed or its key cannot be read
 * @see RFC 2986 section 4
 */
export function readCertificateRequest(der: Buffer): CertificateRequest {
  const [info, algorithm, signature] = children(readElement(der, DER_TAG.sequence));
  const [version, subject, key, attributes] = info === undefined ? [] : children(info);
  if (
    info === undefined ||
    algorithm === undefined ||
    signature?.tag !== DER_TAG.bitString ||
    signature.content[0] !== 0 ||
    version?.tag !== DER_TAG.integer ||
    subject === undefined ||
    key === undefined
  ) {
    throw new SyntaxError("Cannot read a request: it is no PKCS#10 structure");
  }
  return {
    subject: readDistinguishedName(subject.raw),
    publicKey: readPublicKey(key.raw),
    signatureAlgorithm: readAlgorithm(algorithm),
    extensions: attributes?.tag === ATTRIBUTES_TAG ? requestedExtensions(attributes) : new Map(),
    signed: info.raw,
    signature: signature.content.subarray(1),
  };
}

/** Whether the request was signed by the key it names: proof that the sender holds the private key. */
export function isSignedByItsKey(request: CertificateRequest): boolean {
  const { digest, keyType } = signatureScheme(request.signatureAlgorithm);
  if (digest === undefined || request.publicKey.asymmetricKeyType !== keyType) return false;
  try {
    return verify(digest, request.signed, request.publicKey, request.signature);
  } catch {
    // OpenSSL throws where key and algorithm do not belong together.
    return false;
  }
}

function readAlgorithm(algorithm: DerElement): string {
  const [id] = children(readElement(algorithm.raw, DER_TAG.sequence));
  if (id?.tag === DER_TAG.objectIdentifier) return formatObjectIdentifier(id.content);
  throw new SyntaxError("Cannot read a request: its signature algorithm is malformed");
}

function requestedExtensions(attributes: DerElement): ReadonlyMap<string, Extension> {
  for (const attribute of children(attributes)) {
    const [type, values] = children(attribute);
    if (type === undefined || values === undefined) continue;
    if (!EXTENSION_REQUESTS.includes(formatObjectIdentifier(type.content))) continue;
    return readExtensions(readElement(values.content, DER_TAG.sequence));
  }
  return new Map();
}

function readPublicKey(spki: Buffer): KeyObject {
  try {
    return createPublicKey({ key: spki, format: "der", type: "spki" });
  } catch (cause) {
    throw new SyntaxError("Cannot read a request: its public key is malformed or unknown", {
      cause,
    });
  }
}
