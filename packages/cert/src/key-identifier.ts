import { createHash, type KeyObject } from "node:crypto";
import { DER_TAG, readElement, readElements } from "./der.ts";

const KEY_IDENTIFIER_BYTES = 20;

/**
 * Returns the identifier of a public key for SKI and AKI: 160 bits of SHA-256 over the key bits.
 * Not the SHA-1 of RFC 5280, which FIPS builds of OpenSSL refuse to compute.
 *
 * @see RFC 7093 section 2, method 1
 */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  const hash = createHash("sha256").update(keyBits(publicKey));
  return hash.digest().subarray(0, KEY_IDENTIFIER_BYTES);
}

/** Returns the subjectPublicKey of a public key: for an elliptic curve its point. */
export function keyBits(publicKey: KeyObject): Buffer {
  const spki = publicKey.export({ type: "spki", format: "der" });
  const [, bitString] = readElements(readElement(spki, DER_TAG.sequence).content);
  return bitString?.content.subarray(1) ?? Buffer.alloc(0);
}
