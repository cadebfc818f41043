import { createHmac, randomBytes, type KeyObject, type X509Certificate } from "node:crypto";
import {
  algorithmIdentifier,
  bmpString,
  explicit,
  integer,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  set,
} from "./der-writer.ts";
import { writeElement } from "./der.ts";
import { encryptWithAes, encryptWithTripleDes, type Encrypted } from "./password-encryption.ts";
import { derivePkcs12Key, KEY_PURPOSE } from "./pkcs12-key-derivation.ts";

/** Object identifiers of RFC 7292 and PKCS#9. */
export const PKCS12_OID = {
  data: "1.2.840.113549.1.7.1",
  encryptedData: "1.2.840.113549.1.7.6",
  keyBag: "1.2.840.113549.1.12.10.1.1",
  shroudedKeyBag: "1.2.840.113549.1.12.10.1.2",
  certBag: "1.2.840.113549.1.12.10.1.3",
  safeContentsBag: "1.2.840.113549.1.12.10.1.6",
  x509Certificate: "1.2.840.113549.1.9.22.1",
  friendlyName: "1.2.840.113549.1.9.20",
  localKeyId: "1.2.840.113549.1.9.21",
} as const;

/** What a PKCS#12 file is made of. */
export interface Pkcs12Contents {
  readonly privateKey: KeyObject;
  /** The leaf, then the certificates above it. */
  readonly certificates: readonly X509Certificate[];
  readonly friendlyName: string;
  readonly password: string;
  /** Triple DES and SHA-1 instead of AES-256 and SHA-256. */
  readonly isLegacy: boolean;
}

/** How one generation of importers wants it. */
interface Strength {
  readonly digest: "sha256" | "sha1";
  readonly digestId: string;
  readonly macBytes: number;
  readonly iterations: number;
  readonly encrypt: (
    plaintext: Buffer,
    password: string,
    iterations: number,
  ) => Encrypted | Promise<Encrypted>;
}

/** Key derivation and MAC cost an attacker the same, so that neither is the cheaper way in. */
const MODERN: Strength = {
  digest: "sha256",
  digestId: "2.16.840.1.101.3.4.2.1",
  macBytes: 32,
  iterations: 10_000,
  encrypt: encryptWithAes,
};
const LEGACY: Strength = {
  digest: "sha1",
  digestId: "1.3.14.3.2.26",
  macBytes: 20,
  iterations: 2048,
  encrypt: encryptWithTripleDes,
};

const CIPHERTEXT_TAG = 0x80;
const KEY_ID_BYTES = 20;

/**
 * Returns a PKCS#12 file in DER: the certificates encrypted, the key encrypted by itself, both under
 * a MAC. Key and leaf carry the same identifier, by which importers put them together.
 *
 * @see RFC 7292
 */
export async function buildPkcs12(contents: Pkcs12Contents): Promise<Buffer> {
  const { password, certificates, privateKey, friendlyName } = contents;
  const strength = contents.isLegacy ? LEGACY : MODERN;
  const encrypt = async (plaintext: Buffer): Promise<Encrypted> =>
    strength.encrypt(plaintext, password, strength.iterations);
  const keyId = Buffer.from((certificates[0]?.fingerprint256 ?? "").replaceAll(":", ""), "hex");
  const own = attributes(friendlyName, keyId.subarray(0, KEY_ID_BYTES));

  const certBags = certificates.map(({ raw }, index) => certBag(raw, index === 0 ? [own] : []));
  const key = await encrypt(privateKey.export({ type: "pkcs8", format: "der" }));
  const keyBag = sequence(
    objectIdentifier(PKCS12_OID.shroudedKeyBag),
    explicit(0, sequence(key.algorithm, octetString(key.ciphertext))),
    own,
  );
  const authenticated = sequence(
    encryptedContent(await encrypt(sequence(...certBags))),
    plainContent(sequence(keyBag)),
  );
  return sequence(
    integer(3),
    plainContent(authenticated),
    macData(authenticated, password, strength),
  );
}

function certBag(certificate: Buffer, attributeSets: readonly Buffer[]): Buffer {
  const value = sequence(
    objectIdentifier(PKCS12_OID.x509Certificate),
    explicit(0, octetString(certificate)),
  );
  return sequence(objectIdentifier(PKCS12_OID.certBag), explicit(0, value), ...attributeSets);
}

function attributes(friendlyName: string, keyId: Buffer): Buffer {
  const list = [
    sequence(objectIdentifier(PKCS12_OID.friendlyName), set(bmpString(friendlyName))),
    sequence(objectIdentifier(PKCS12_OID.localKeyId), set(octetString(keyId))),
  ];
  // X.690 section 11.6: DER wants the elements of a SET OF in the order of their encodings.
  return set(...list.toSorted((a, b) => Buffer.compare(a, b)));
}

function plainContent(content: Buffer): Buffer {
  return sequence(objectIdentifier(PKCS12_OID.data), explicit(0, octetString(content)));
}

function encryptedContent({ algorithm, ciphertext }: Encrypted): Buffer {
  const content = sequence(
    objectIdentifier(PKCS12_OID.data),
    algorithm,
    writeElement(CIPHERTEXT_TAG, ciphertext),
  );
  return sequence(
    objectIdentifier(PKCS12_OID.encryptedData),
    explicit(0, sequence(integer(0), content)),
  );
}

function macData(content: Buffer, password: string, strength: Strength): Buffer {
  const { digest, digestId, macBytes, iterations } = strength;
  const salt = randomBytes(16);
  const key = derivePkcs12Key(password, {
    digest,
    salt,
    iterations,
    purpose: KEY_PURPOSE.mac,
    bytes: macBytes,
  });
  const mac = createHmac(digest, key).update(content).digest();
  const digestInfo = sequence(algorithmIdentifier(digestId, nullValue()), octetString(mac));
  return sequence(digestInfo, octetString(salt), integer(iterations));
}
