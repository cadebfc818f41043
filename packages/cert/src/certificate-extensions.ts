import { children, DER_TAG, readElement, readElements, type DerElement } from "./der.ts";
import { formatCidr, formatIpAddress } from "./ip-address.ts";
import type { NameConstraints, NameSubtrees } from "./name-constraints.ts";
import { formatObjectIdentifier } from "./object-identifier.ts";
import type { SubjectName } from "./subject-names.ts";

/** Object identifiers of the extensions this package understands (RFC 5280 section 4.2). */
export const EXTENSION = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
} as const;

/** Extensions that may be critical: clients process them, or may leave policies and CRLs aside. */
export const PROCESSED_EXTENSIONS: ReadonlySet<string> = new Set([
  EXTENSION.keyUsage,
  EXTENSION.subjectAltName,
  EXTENSION.basicConstraints,
  EXTENSION.nameConstraints,
  EXTENSION.extendedKeyUsage,
  "2.5.29.31",
  "2.5.29.32",
  "2.5.29.33",
  "2.5.29.36",
  "2.5.29.54",
]);

/** One extension; `value` is the DER inside its OCTET STRING. */
export interface Extension {
  readonly isCritical: boolean;
  readonly value: Buffer;
}

/** What a key may be used for, by bit (RFC 5280 section 4.2.1.3). */
const KEY_USAGES = [
  "digitalSignature",
  "contentCommitment",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;

/** A purpose of a key. */
export type KeyUsage = (typeof KEY_USAGES)[number];

const EXTENDED_KEY_USAGES: Readonly<Record<string, string>> = {
  "1.3.6.1.5.5.7.3.1": "serverAuth",
  "1.3.6.1.5.5.7.3.2": "clientAuth",
  "1.3.6.1.5.5.7.3.3": "codeSigning",
  "1.3.6.1.5.5.7.3.4": "emailProtection",
  "1.3.6.1.5.5.7.3.8": "timeStamping",
  "1.3.6.1.5.5.7.3.9": "OCSPSigning",
  "2.5.29.37.0": "anyExtendedKeyUsage",
};

/** Whether a certificate may sign others, and how many CAs may stand between it and a leaf. */
export interface BasicConstraints {
  readonly isAuthority: boolean;
  readonly pathLength: number | undefined;
}

/** The names of subjectAltName that this package knows, and the tag bytes of all others. */
export interface AlternativeNames {
  readonly names: readonly SubjectName[];
  readonly foreignTags: readonly number[];
}

const PERMITTED_TAG = 0xa0;
const EXCLUDED_TAG = 0xa1;
const KEY_IDENTIFIER_TAG = 0x80;

const GENERAL_NAME_TYPES: Readonly<Record<number, SubjectName["type"]>> = {
  0x81: "email",
  0x82: "dns",
  0x86: "uri",
  0x87: "ip",
};

/**
 * Returns the extensions of an Extensions SEQUENCE by dotted object identifier.
 *
 * @throws {SyntaxError} If one is malformed or appears twice (RFC 5280 section 4.2)
 */
export function readExtensions(list: DerElement): Map<string, Extension> {
  const extensions = new Map<string, Extension>();
  for (const element of children(list)) {
    const [id, ...rest] = children(element);
    const value = rest.at(-1);
    if (id?.tag !== DER_TAG.objectIdentifier || value?.tag !== DER_TAG.octetString) {
      throw new SyntaxError("Cannot read certificate: an extension is malformed");
    }
    const oid = formatObjectIdentifier(id.content);
    if (extensions.has(oid)) {
      throw new SyntaxError(`Cannot read certificate: the extension ${oid} appears twice`);
    }
    const isCritical = rest.length > 1 && rest[0]?.content[0] !== 0;
    extensions.set(oid, { isCritical, value: value.content });
  }
  return extensions;
}

/** Reads subjectAltName; an address that has neither 4 nor 16 bytes counts as foreign. */
export function readAlternativeNames(value: Buffer): AlternativeNames {
  const entries = children(readElement(value, DER_TAG.sequence)).map(({ tag, content }) => {
    const type = GENERAL_NAME_TYPES[tag];
    const text = type === "ip" ? formatIpAddress(content) : content.toString("latin1");
    return { tag, name: type === undefined || text === undefined ? [] : [{ type, value: text }] };
  });
  return {
    names: entries.flatMap(({ name }) => name),
    foreignTags: entries.filter(({ name }) => name.length === 0).map(({ tag }) => tag),
  };
}

export function readBasicConstraints(value: Buffer): BasicConstraints {
  const fields = children(readElement(value, DER_TAG.sequence));
  const pathLength = fields.find(({ tag }) => tag === DER_TAG.integer)?.content;
  return {
    isAuthority: fields.some(({ tag, content }) => tag === DER_TAG.boolean && content[0] !== 0),
    // More than two bytes exceed every path there is, and a number can carry them no better.
    pathLength:
      pathLength === undefined || pathLength.length === 0
        ? undefined
        : pathLength.readUIntBE(0, Math.min(pathLength.length, 2)),
  };
}

export function readKeyUsages(value: Buffer): KeyUsage[] {
  const bits = readElement(value, DER_TAG.bitString).content.subarray(1);
  return KEY_USAGES.filter((_, bit) => ((bits[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

/** Returns the purposes by name, those without a name here by dotted object identifier. */
export function readExtendedKeyUsages(value: Buffer): string[] {
  return children(readElement(value, DER_TAG.sequence)).map(({ content }) => {
    const oid = formatObjectIdentifier(content);
    return EXTENDED_KEY_USAGES[oid] ?? oid;
  });
}

export function readSubjectKeyIdentifier(value: Buffer): Buffer {
  return readElement(value, DER_TAG.octetString).content;
}

export function readAuthorityKeyIdentifier(value: Buffer): Buffer | undefined {
  const fields = children(readElement(value, DER_TAG.sequence));
  return fields.find(({ tag }) => tag === KEY_IDENTIFIER_TAG)?.content;
}

/** Reads the subtrees of the four types of names this package knows; others are left out. */
export function readNameConstraints(value: Buffer): NameConstraints {
  return {
    permitted: readSubtrees(subtreeBases(value, PERMITTED_TAG)),
    excluded: readSubtrees(subtreeBases(value, EXCLUDED_TAG)),
  };
}

/**
 * Whether name constraints say something that `readNameConstraints` leaves out: another type of name,
 * a minimum or maximum, an address range of no family.
 */
export function hasForeignSubtrees(value: Buffer): boolean {
  const lists = children(readElement(value, DER_TAG.sequence));
  return lists.flatMap(children).some((subtree) => {
    const [base, ...bounds] = children(subtree);
    const type = GENERAL_NAME_TYPES[base?.tag ?? 0];
    const size = base?.content.length ?? 0;
    return type === undefined || bounds.length > 0 || (type === "ip" && size !== 8 && size !== 32);
  });
}

function subtreeBases(value: Buffer, listTag: number): DerElement[] {
  return children(readElement(value, DER_TAG.sequence))
    .filter(({ tag }) => tag === listTag)
    .flatMap(({ content }) => readElements(content))
    .flatMap((subtree) => children(subtree).slice(0, 1));
}

function readSubtrees(bases: readonly DerElement[]): NameSubtrees {
  const values = (type: SubjectName["type"]): string[] =>
    bases
      .filter(({ tag }) => GENERAL_NAME_TYPES[tag] === type)
      .map(({ content }) => (type === "ip" ? cidr(content) : foldHost(content.toString("latin1"))));
  return { dns: values("dns"), ip: values("ip"), email: values("email"), uri: values("uri") };
}

/** Returns a name with its host in lower case; the part of a mailbox before the @ may tell case. */
export function foldHost(name: string): string {
  const host = name.lastIndexOf("@") + 1;
  return name.slice(0, host) + name.slice(host).toLowerCase();
}

function cidr(content: Buffer): string {
  const half = content.length / 2;
  return formatCidr({ address: content.subarray(0, half), mask: content.subarray(half) });
}
