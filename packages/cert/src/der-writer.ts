import { DER_TAG, writeElement } from "./der.ts";
import { encodeObjectIdentifier } from "./object-identifier.ts";

/** Context-specific tag bytes (X.690 section 8.1.2). */
const CONTEXT_CONSTRUCTED = 0xa0;

export function sequence(...elements: readonly Buffer[]): Buffer {
  return writeElement(DER_TAG.sequence, ...elements);
}

export function set(...elements: readonly Buffer[]): Buffer {
  return writeElement(DER_TAG.set, ...elements);
}

export function octetString(value: Buffer): Buffer {
  return writeElement(DER_TAG.octetString, value);
}

export function nullValue(): Buffer {
  return writeElement(DER_TAG.null);
}

/** Returns an explicit context tag, 0 to 30, around its elements. */
export function explicit(tag: number, ...elements: readonly Buffer[]): Buffer {
  return writeElement(CONTEXT_CONSTRUCTED | tag, ...elements);
}

export function objectIdentifier(dotted: string): Buffer {
  return writeElement(DER_TAG.objectIdentifier, encodeObjectIdentifier(dotted));
}

/** Returns an INTEGER from 0 to 2^31 - 1 in the fewest bytes (X.690 section 8.3.2). */
export function integer(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(value, 1);
  const start = bytes.findIndex((byte, index) => byte !== 0 || index === 4);
  const isNegativeLooking = (bytes[start] ?? 0) >= 0x80;
  return writeElement(DER_TAG.integer, bytes.subarray(isNegativeLooking ? start - 1 : start));
}

/** Returns a BMPString: UTF-16 in big-endian order. */
export function bmpString(text: string): Buffer {
  return writeElement(DER_TAG.bmpString, Buffer.from(text, "utf16le").swap16());
}

/** Returns an AlgorithmIdentifier (RFC 5280 section 4.1.1.2). */
export function algorithmIdentifier(oid: string, parameters: Buffer): Buffer {
  return sequence(objectIdentifier(oid), parameters);
}
