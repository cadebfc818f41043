import type { X509Certificate } from "node:crypto";
import { DER_TAG, readElement, readElements, type DerElement } from "./der.ts";
import { formatCidr, formatIpAddress } from "./ip-address.ts";
import type { NameConstraints, NameSubtrees } from "./name-constraints.ts";
import type { SubjectName } from "./subject-names.ts";

/** What X509Certificate holds but does not show, or shows only as text. */
export interface CertificateDetails {
  /** The subject in DER, byte for byte. */
  readonly subject: Buffer;
  readonly subjectNames: readonly SubjectName[];
  readonly subjectKeyIdentifier: Buffer | undefined;
  readonly authorityKeyIdentifier: Buffer | undefined;
  readonly nameConstraints: NameConstraints | undefined;
}

/** Contents of the object identifiers 2.5.29.n, in hexadecimal. */
const EXTENSION = {
  subjectKeyIdentifier: "551d0e",
  subjectAltName: "551d11",
  nameConstraints: "551d1e",
  authorityKeyIdentifier: "551d23",
} as const;

const EXPLICIT_VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;
const KEY_IDENTIFIER_TAG = 0x80;
const PERMITTED_TAG = 0xa0;
const EXCLUDED_TAG = 0xa1;

const GENERAL_NAME_TYPES: Readonly<Record<number, SubjectName["type"]>> = {
  0x81: "email",
  0x82: "dns",
  0x86: "uri",
  0x87: "ip",
};

/**
 * Reads a certificate that OpenSSL has parsed already.
 * Names of other types (directory names, otherName) are left out.
 *
 * @throws {SyntaxError} If an extension is malformed
 * @see RFC 5280 section 4.1
 */
export function readCertificate(certificate: X509Certificate): CertificateDetails {
  const [tbsCertificate] = children(readElement(certificate.raw, DER_TAG.sequence));
  const fields = tbsCertificate === undefined ? [] : children(tbsCertificate);
  const first = fields[0]?.tag === EXPLICIT_VERSION_TAG ? 1 : 0;
  const subject = fields[first + 4];
  if (subject === undefined) throw new SyntaxError("Cannot read certificate: it has no subject");
  const extensions = readExtensions(fields.find(({ tag }) => tag === EXTENSIONS_TAG));
  const names = extensions.get(EXTENSION.subjectAltName);
  const keyId = extensions.get(EXTENSION.subjectKeyIdentifier);
  const issuerKeyId = extensions.get(EXTENSION.authorityKeyIdentifier);
  const constraints = extensions.get(EXTENSION.nameConstraints);
  return {
    subject: subject.raw,
    subjectNames: names === undefined ? [] : readNames(names),
    subjectKeyIdentifier:
      keyId === undefined ? undefined : readElement(keyId, DER_TAG.octetString).content,
    authorityKeyIdentifier:
      issuerKeyId === undefined
        ? undefined
        : children(readElement(issuerKeyId, DER_TAG.sequence)).find(
            ({ tag }) => tag === KEY_IDENTIFIER_TAG,
          )?.content,
    nameConstraints: constraints === undefined ? undefined : readConstraints(constraints),
  };
}

/** Returns the values of the extensions by object identifier. */
function readExtensions(explicit: DerElement | undefined): Map<string, Buffer> {
  if (explicit === undefined) return new Map();
  const list = readElement(explicit.content, DER_TAG.sequence);
  return new Map(
    children(list).map((extension) => {
      const [oid, ...rest] = children(extension);
      return [oid?.content.toString("hex") ?? "", rest.at(-1)?.content ?? Buffer.alloc(0)];
    }),
  );
}

function readNames(value: Buffer): SubjectName[] {
  return children(readElement(value, DER_TAG.sequence)).flatMap(({ tag, content }) => {
    const type = GENERAL_NAME_TYPES[tag];
    if (type === undefined) return [];
    const text = type === "ip" ? formatIpAddress(content) : content.toString("latin1");
    return text === undefined ? [] : [{ type, value: text }];
  });
}

function readConstraints(value: Buffer): NameConstraints {
  const lists = children(readElement(value, DER_TAG.sequence));
  const subtrees = (listTag: number): NameSubtrees =>
    readSubtrees(lists.filter(({ tag }) => tag === listTag).flatMap(children));
  return { permitted: subtrees(PERMITTED_TAG), excluded: subtrees(EXCLUDED_TAG) };
}

function readSubtrees(subtrees: readonly DerElement[]): NameSubtrees {
  const bases = subtrees.flatMap((subtree) => children(subtree).slice(0, 1));
  const values = (type: SubjectName["type"]): string[] =>
    bases
      .filter(({ tag }) => GENERAL_NAME_TYPES[tag] === type)
      .map(({ content }) => (type === "ip" ? cidr(content) : content.toString("latin1")));
  return { dns: values("dns"), ip: values("ip"), email: values("email"), uri: values("uri") };
}

function cidr(content: Buffer): string {
  const half = content.length / 2;
  return formatCidr({ address: content.subarray(0, half), mask: content.subarray(half) });
}

function children(element: DerElement): DerElement[] {
  return readElements(element.content);
}
