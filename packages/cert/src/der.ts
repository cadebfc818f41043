/** One DER element: its tag byte, its content, and both with the length in between. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  readonly raw: Buffer;
}

/** Tag bytes of the universal types that certificates use (X.690 section 8). */
export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/**
 * Returns the elements that follow each other in `der`.
 * Reads low tag numbers and definite lengths up to 2^32 - 1: all that X.509 needs.
 *
 * @throws {SyntaxError} If `der` ends inside an element or a length is not in DER form
 */
export function readElements(der: Buffer): DerElement[] {
  const elements: DerElement[] = [];
  for (let offset = 0; offset < der.length;) {
    const element = readElementAt(der, offset);
    elements.push(element);
    offset += element.raw.length;
  }
  return elements;
}

/**
 * Returns the one element that `der` consists of.
 *
 * @throws {SyntaxError} If there is none, more than one, or one with another tag
 */
export function readElement(der: Buffer, tag: number): DerElement {
  const [element, ...rest] = readElements(der);
  if (element === undefined || rest.length > 0 || element.tag !== tag) {
    throw new SyntaxError(`Cannot read DER: one element with tag 0x${tag.toString(16)} expected`);
  }
  return element;
}

/**
 * Returns the elements inside a constructed one.
 *
 * @throws {SyntaxError} If its content is malformed
 */
export function children(element: DerElement): DerElement[] {
  return readElements(element.content);
}

/** Returns one element: `tag`, the length, and `contents` one after the other. */
export function writeElement(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const size = content.length;
  if (size < 0x80) return Buffer.concat([Buffer.of(tag, size), content]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(size);
  const digits = length.subarray(Math.clz32(size) >> 3);
  return Buffer.concat([Buffer.of(tag, 0x80 + digits.length), digits, content]);
}

function readElementAt(der: Buffer, offset: number): DerElement {
  const tag = der[offset] ?? 0;
  const first = der[offset + 1];
  if (first === undefined || (tag & 0x1f) === 0x1f) {
    throw new SyntaxError("Cannot read DER: it ends inside an element or uses a long tag");
  }
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const start = offset + 2 + lengthBytes;
  if (first === 0x80 || lengthBytes > 4 || start > der.length) {
    throw new SyntaxError("Cannot read DER: the length of an element is malformed");
  }
  const length = lengthBytes === 0 ? first : der.readUIntBE(offset + 2, lengthBytes);
  const end = start + length;
  if (end > der.length) throw new SyntaxError("Cannot read DER: it ends inside an element");
  return { tag, content: der.subarray(start, end), raw: der.subarray(offset, end) };
}
