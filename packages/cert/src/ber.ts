import { DER_TAG, writeElement } from "./der.ts";

/** PKCS#12 nests about ten deep; a bomb of nested elements must not exhaust the stack. */
const MAX_DEPTH = 32;
const CONSTRUCTED = 0x20;
const CONSTRUCTED_OCTET_STRING = DER_TAG.octetString | CONSTRUCTED;
const INDEFINITE = 0x80;

interface Read {
  readonly der: Buffer;
  readonly end: number;
}

/**
 * Returns a BER element with definite lengths and octet strings in one piece, as DER has them.
 * Windows, NSS and Java write PKCS#12 in BER.
 *
 * @throws {SyntaxError} If it is malformed or nested more than 32 deep
 * @see X.690 sections 8.1.3.6 and 8.7
 */
export function toDefiniteLengths(ber: Buffer): Buffer {
  const { der, end } = readElement(ber, 0, 0);
  if (end !== ber.length) throw new SyntaxError("Cannot read BER: bytes follow the last element");
  return der;
}

function readElement(ber: Buffer, offset: number, depth: number): Read {
  const tag = ber[offset];
  const first = ber[offset + 1];
  if (tag === undefined || first === undefined || depth > MAX_DEPTH) {
    throw new SyntaxError("Cannot read BER: it ends inside an element or is nested too deep");
  }
  if (first === INDEFINITE) {
    const { der, end } = readChildren(ber, tag, offset + 2, undefined, depth);
    return { der, end: end + 2 };
  }
  const lengthBytes = first < INDEFINITE ? 0 : first - INDEFINITE;
  const start = offset + 2 + lengthBytes;
  const length =
    lengthBytes === 0 || lengthBytes > 4 || start > ber.length
      ? first
      : ber.readUIntBE(offset + 2, lengthBytes);
  const end = start + length;
  if (lengthBytes > 4 || end > ber.length) {
    throw new SyntaxError("Cannot read BER: it ends inside an element");
  }
  if ((tag & CONSTRUCTED) !== 0) return readChildren(ber, tag, start, end, depth);
  return { der: writeElement(tag, ber.subarray(start, end)), end };
}

/** Reads up to `end`, or without one up to the end-of-contents octets. */
function readChildren(
  ber: Buffer,
  tag: number,
  start: number,
  end: number | undefined,
  depth: number,
): Read {
  const parts: Buffer[] = [];
  let offset = start;
  while (end === undefined ? !isEndOfContents(ber, offset) : offset < end) {
    const child = readElement(ber, offset, depth + 1);
    parts.push(tag === CONSTRUCTED_OCTET_STRING ? contentOf(child.der) : child.der);
    offset = child.end;
  }
  if (end !== undefined && offset !== end) {
    throw new SyntaxError("Cannot read BER: an element is longer than the one around it");
  }
  const isString = tag === CONSTRUCTED_OCTET_STRING;
  return { der: writeElement(isString ? DER_TAG.octetString : tag, ...parts), end: offset };
}

function isEndOfContents(ber: Buffer, offset: number): boolean {
  return ber[offset] === 0 && ber[offset + 1] === 0;
}

function contentOf(der: Buffer): Buffer {
  const first = der[1] ?? 0;
  return der.subarray(first < INDEFINITE ? 2 : 2 + first - INDEFINITE);
}
