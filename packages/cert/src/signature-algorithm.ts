/** How a signature in a certificate or request was made. */
export interface SignatureScheme {
  /** As OpenSSL prints it. */
  readonly name: string;
  /** `asymmetricKeyType` of the keys that sign so. */
  readonly keyType: string | undefined;
  /** For `crypto.verify`; null where the algorithm hashes by itself, undefined where we do not verify. */
  readonly digest: string | null | undefined;
}

/** By dotted object identifier (RFC 8017, RFC 5758, RFC 8410, FIPS 204). */
const SCHEMES: Readonly<Record<string, SignatureScheme>> = {
  "1.2.840.113549.1.1.2": { name: "md2WithRSAEncryption", keyType: "rsa", digest: undefined },
  "1.2.840.113549.1.1.4": { name: "md5WithRSAEncryption", keyType: "rsa", digest: "md5" },
  "1.2.840.113549.1.1.5": { name: "sha1WithRSAEncryption", keyType: "rsa", digest: "sha1" },
  "1.2.840.113549.1.1.10": { name: "rsassaPss", keyType: "rsa-pss", digest: undefined },
  "1.2.840.113549.1.1.11": { name: "sha256WithRSAEncryption", keyType: "rsa", digest: "sha256" },
  "1.2.840.113549.1.1.12": { name: "sha384WithRSAEncryption", keyType: "rsa", digest: "sha384" },
  "1.2.840.113549.1.1.13": { name: "sha512WithRSAEncryption", keyType: "rsa", digest: "sha512" },
  "1.2.840.113549.1.1.14": { name: "sha224WithRSAEncryption", keyType: "rsa", digest: "sha224" },
  "1.2.840.10040.4.3": { name: "dsaWithSHA1", keyType: "dsa", digest: "sha1" },
  "1.2.840.10045.4.1": { name: "ecdsa-with-SHA1", keyType: "ec", digest: "sha1" },
  "1.2.840.10045.4.3.1": { name: "ecdsa-with-SHA224", keyType: "ec", digest: "sha224" },
  "1.2.840.10045.4.3.2": { name: "ecdsa-with-SHA256", keyType: "ec", digest: "sha256" },
  "1.2.840.10045.4.3.3": { name: "ecdsa-with-SHA384", keyType: "ec", digest: "sha384" },
  "1.2.840.10045.4.3.4": { name: "ecdsa-with-SHA512", keyType: "ec", digest: "sha512" },
  "1.3.101.112": { name: "ED25519", keyType: "ed25519", digest: null },
  "1.3.101.113": { name: "ED448", keyType: "ed448", digest: null },
  "2.16.840.1.101.3.4.3.17": { name: "ML-DSA-44", keyType: "ml-dsa-44", digest: null },
  "2.16.840.1.101.3.4.3.18": { name: "ML-DSA-65", keyType: "ml-dsa-65", digest: null },
  "2.16.840.1.101.3.4.3.19": { name: "ML-DSA-87", keyType: "ml-dsa-87", digest: null },
};

/** Returns the scheme of a dotted object identifier; one we do not know is named by its number. */
export function signatureScheme(oid: string): SignatureScheme {
  return SCHEMES[oid] ?? { name: oid, keyType: undefined, digest: undefined };
}

/** Whether collisions of its hash are known, so that a signature may belong to another content. */
export function isBrokenScheme(name: string): boolean {
  return /md[245]|sha1(?!\d)/i.test(name);
}
