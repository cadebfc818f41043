/** The longest one in use has 20 bytes; more would only cost time to show. */
const MAX_BYTES = 64;

/**
 * Returns the content octets of a dotted object identifier whose numbers are below 2^31.
 *
 * @see X.690 section 8.19
 */
export function encodeObjectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return Buffer.from([40 * first + second, ...rest].flatMap(base128));
}

/**
 * Returns an object identifier in dotted form.
 *
 * @throws {SyntaxError} If it is empty, has more than 64 bytes or ends inside a number
 */
export function formatObjectIdentifier(content: Buffer): string {
  const last = content.at(-1);
  if (last === undefined || last >= 0x80 || content.length > MAX_BYTES) {
    throw new SyntaxError("Cannot read DER: an object identifier is malformed");
  }
  const numbers: bigint[] = [];
  let number = 0n;
  for (const byte of content) {
    number = (number << 7n) | BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0n;
  }
  const [head = 0n, ...rest] = numbers;
  const first = head < 80n ? head / 40n : 2n;
  return [first, head - 40n * first, ...rest].join(".");
}

function base128(number: number): number[] {
  const digits = [number & 0x7f];
  for (let high = number >>> 7; high > 0; high >>>= 7) digits.unshift((high & 0x7f) | 0x80);
  return digits;
}
