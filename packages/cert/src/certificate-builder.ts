import type { KeyObject } from "node:crypto";
import { createRequire } from "node:module";
import type { asn1 as ForgeAsn1 } from "node-forge";
import { readElement, DER_TAG } from "./der.ts";
import { ipAddressBytes, parseCidr } from "./ip-address.ts";
import { signatureAlgorithm, type KeyKind, type SignatureAlgorithm } from "./key-pair.ts";
import { keyIdentifier } from "./key-identifier.ts";
import type { NameConstraints, NameSubtrees } from "./name-constraints.ts";
import type { Validity } from "./renewal.ts";
import type { SubjectName } from "./subject-names.ts";

// The one module of node-forge we need: 3 ms, against 19 ms for all of it. `import` would parse it twice,
// the first time for the names it exports: another 5 ms of a process that lives for 100.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require() does not know what it returns
const asn1 = createRequire(import.meta.url)("node-forge/lib/asn1.js") as typeof ForgeAsn1;

type Asn1 = ReturnType<typeof asn1.create>;

/** Who signs: the kind of key that decides the algorithm, and the signature itself. */
export interface CertificateSigner {
  readonly kind: KeyKind;
  readonly sign: (tbsCertificate: Uint8Array) => Buffer;
}

/** The distinguished name of a certificate: as much of X.501 as a development certificate needs. */
interface Subject {
  readonly organization: string;
  /** At most 64 characters (RFC 5280 appendix A.1, ub-common-name). */
  readonly commonName?: string;
}

interface CertificateFields extends Validity {
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  /** 1 to 20 bytes; the first between 0x01 and 0x7f (RFC 5280 section 4.1.2.2). */
  readonly serialNumber: Buffer;
}

/** The fields of a self-signed CA certificate. */
export interface AuthorityFields extends CertificateFields {
  readonly nameConstraints: NameConstraints | undefined;
}

/** What a leaf may be used for (RFC 5280 section 4.2.1.12). */
export type ExtendedKeyUsage = "serverAuth" | "clientAuth";

/** The fields of a leaf. */
export interface LeafFields extends CertificateFields {
  readonly extendedKeyUsages: readonly ExtendedKeyUsage[];
  readonly names: readonly SubjectName[];
  /** The subject of the CA in DER, byte for byte. */
  readonly issuer: Buffer;
  readonly issuerKeyIdentifier: Buffer;
}

const OID = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

/** Bits of RFC 5280 section 4.2.1.3, counted from the most significant one. */
const KEY_USAGE = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, cRLSign: 6 } as const;

/** Choices of GeneralName (RFC 5280 section 4.2.1.6): the context-specific tag numbers. */
const GENERAL_NAME = { email: 1, dns: 2, uri: 6, ip: 7 } as const;
const TEXT_NAMES = ["dns", "email", "uri"] as const;

/** Returns a self-signed CA certificate in DER that may sign leaves only (pathLen 0). */
export function buildAuthorityCertificate(
  fields: AuthorityFields,
  signer: CertificateSigner,
): Buffer {
  const { nameConstraints } = fields;
  const issuer = distinguishedName(fields.subject);
  return buildCertificate(fields, issuer, signer, [
    extension(OID.basicConstraints, sequence(boolean(true), integer(Buffer.of(0))), true),
    extension(OID.keyUsage, namedBits(KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign), true),
    extension(OID.subjectKeyIdentifier, octets(keyIdentifier(fields.publicKey))),
    ...(nameConstraints === undefined
      ? []
      : [extension(OID.nameConstraints, constraintSequence(nameConstraints), true)]),
  ]);
}

/** Returns a certificate for a TLS server or client in DER. */
export function buildLeafCertificate(fields: LeafFields, signer: CertificateSigner): Buffer {
  // RFC 8446 only signs with the server's key; keyEncipherment is for RSA key exchange in TLS 1.2.
  const isRsa = fields.publicKey.asymmetricKeyType === "rsa";
  const usages = isRsa
    ? [KEY_USAGE.digitalSignature, KEY_USAGE.keyEncipherment]
    : [KEY_USAGE.digitalSignature];
  const alternatives = fields.names.map(({ type, value }) =>
    generalName(type, type === "ip" ? ipAddressBytes(value) : Buffer.from(value, "latin1")),
  );
  return buildCertificate(fields, embed(fields.issuer), signer, [
    extension(OID.basicConstraints, sequence(), true),
    extension(OID.keyUsage, namedBits(...usages), true),
    extension(
      OID.extendedKeyUsage,
      sequence(...fields.extendedKeyUsages.map((usage) => objectIdentifier(OID[usage]))),
    ),
    extension(OID.subjectAltName, sequence(...alternatives)),
    extension(OID.subjectKeyIdentifier, octets(keyIdentifier(fields.publicKey))),
    extension(OID.authorityKeyIdentifier, sequence(tagged(0, latin1(fields.issuerKeyIdentifier)))),
  ]);
}

/** @see RFC 5280 section 4.1 */
function buildCertificate(
  fields: CertificateFields,
  issuer: Asn1,
  signer: CertificateSigner,
  extensions: readonly Asn1[],
): Buffer {
  const algorithm = algorithmIdentifier(signatureAlgorithm(signer.kind));
  const tbsCertificate = sequence(
    tagged(0, [integer(Buffer.of(2))]),
    integer(fields.serialNumber),
    algorithm,
    issuer,
    sequence(time(fields.notBefore), time(fields.notAfter)),
    distinguishedName(fields.subject),
    embed(fields.publicKey.export({ type: "spki", format: "der" })),
    tagged(3, [sequence(...extensions)]),
  );
  const signature = signer.sign(toDer(tbsCertificate));
  return toDer(sequence(tbsCertificate, algorithm, bitString(signature)));
}

function algorithmIdentifier({ oid, hasNullParameters }: SignatureAlgorithm): Asn1 {
  const parameters = hasNullParameters ? [primitive(asn1.Type.NULL, "")] : [];
  return sequence(objectIdentifier(oid), ...parameters);
}

function distinguishedName({ organization, commonName }: Subject): Asn1 {
  const attributes: (readonly [oid: string, value: string])[] = [[OID.organization, organization]];
  if (commonName !== undefined) attributes.push([OID.commonName, commonName]);
  return sequence(
    ...attributes.map(([oid, value]) =>
      constructed(asn1.Type.SET, [
        sequence(objectIdentifier(oid), primitive(asn1.Type.UTF8, latin1(Buffer.from(value)))),
      ]),
    ),
  );
}

/** RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
function time(date: Date): Asn1 {
  const year = date.getUTCFullYear();
  return year >= 1950 && year < 2050
    ? primitive(asn1.Type.UTCTIME, asn1.dateToUtcTime(date))
    : primitive(asn1.Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date));
}

function extension(oid: string, value: Asn1, isCritical: boolean = false): Asn1 {
  const critical = isCritical ? [boolean(true)] : [];
  return sequence(objectIdentifier(oid), ...critical, octets(toDer(value)));
}

/** @see RFC 5280 section 4.2.1.10 */
function constraintSequence({ permitted, excluded }: NameConstraints): Asn1 {
  const lists = [permitted, excluded].map((subtrees, tag) => ({
    tag,
    bases: subtreeBases(subtrees),
  }));
  return sequence(
    ...lists
      .filter(({ bases }) => bases.length > 0)
      .map(({ tag, bases }) =>
        tagged(
          tag,
          bases.map((base) => sequence(base)),
        ),
      ),
  );
}

function subtreeBases({ dns, ip, email, uri }: NameSubtrees): Asn1[] {
  const texts = { dns, email, uri };
  const names = TEXT_NAMES.flatMap((type) =>
    texts[type].map((entry) => generalName(type, Buffer.from(entry, "latin1"))),
  );
  const ranges = ip.flatMap((cidr) => parseCidr(cidr) ?? []);
  return [
    ...names,
    ...ranges.map(({ address, mask }) => generalName("ip", Buffer.concat([address, mask]))),
  ];
}

function generalName(type: SubjectName["type"], value: Buffer): Asn1 {
  return tagged(GENERAL_NAME[type], latin1(value));
}

/** DER wants a named bit list without trailing zero bits (X.690 section 11.2.2). */
function namedBits(...bits: readonly number[]): Asn1 {
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  const unusedBits = 7 - Math.max(...bits);
  return primitive(asn1.Type.BITSTRING, latin1(Buffer.of(unusedBits, byte)));
}

function bitString(value: Buffer): Asn1 {
  return primitive(asn1.Type.BITSTRING, `\0${latin1(value)}`);
}

function octets(value: Buffer): Asn1 {
  return primitive(asn1.Type.OCTETSTRING, latin1(value));
}

function integer(value: Buffer): Asn1 {
  return primitive(asn1.Type.INTEGER, latin1(value));
}

function boolean(value: boolean): Asn1 {
  return primitive(asn1.Type.BOOLEAN, value ? "\xff" : "\0");
}

function objectIdentifier(oid: string): Asn1 {
  return primitive(asn1.Type.OID, asn1.oidToDer(oid).getBytes());
}

function sequence(...elements: readonly Asn1[]): Asn1 {
  return constructed(asn1.Type.SEQUENCE, elements);
}

function constructed(type: Asn1["type"], elements: readonly Asn1[]): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, type, true, [...elements]);
}

function primitive(type: Asn1["type"], value: string): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, type, false, value);
}

function tagged(tag: number, value: string | readonly Asn1[]): Asn1 {
  const isText = typeof value === "string";
  return asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, !isText, isText ? value : [...value]);
}

/** Embeds a ready SEQUENCE as it is, so that a CA's subject and a key keep their exact bytes. */
function embed(der: Buffer): Asn1 {
  const { tag, content } = readElement(der, DER_TAG.sequence);
  return asn1.create(asn1.Class.UNIVERSAL, tag, false, latin1(content));
}

function toDer(element: Asn1): Buffer {
  return Buffer.from(asn1.toDer(element).getBytes(), "latin1");
}

function latin1(bytes: Buffer): string {
  return bytes.toString("latin1");
}
