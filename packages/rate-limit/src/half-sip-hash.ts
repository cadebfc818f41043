/** Writes the 64-bit keyed hash of `text` into the two words of `digest`, low word first. */
export type KeyedHash = (text: string, digest: Uint32Array) => void;

/**
 * Returns HalfSipHash-1-3 with 64-bit output under a secret key of 8 bytes, over the Latin-1 bytes of
 * a string. A string with other characters is hashed over its UTF-16LE form (so lone surrogates stay
 * distinct), under a key of its own.
 *
 * For tables that clients fill: without the key nobody can aim keys at one slot. It is no message
 * authentication code: never show its output.
 *
 * @throws {RangeError} If the key has not 8 bytes.
 * @see https://github.com/veorq/SipHash
 */
export function createHalfSipHash(key: Uint8Array): KeyedHash {
  if (key.length !== 8) throw new RangeError(`Hash key must have 8 bytes, got ${key.length}`);
  const hashLatin1 = latin1Hash(key);
  const wideKey = new Uint32Array(2);
  hashLatin1("utf-16", wideKey);
  const hashWide = latin1Hash(new Uint8Array(wideKey.buffer));

  return function halfSipHash(text, digest) {
    if (hashLatin1(text, digest)) return;
    hashWide(Buffer.from(text, "utf16le").toString("latin1"), digest);
  };
}

/** Returns the hash of strings without characters above U+00FF; of others it returns false. */
function latin1Hash(key: Uint8Array): (text: string, digest: Uint32Array) => boolean {
  const words = new DataView(key.buffer, key.byteOffset, 8);
  const key0 = words.getInt32(0, true);
  const key1 = words.getInt32(4, true);

  return function hash(text, digest) {
    let v0 = key0;
    let v1 = key1 ^ 0xee;
    let v2 = 0x6c796765 ^ key0;
    let v3 = 0x74656462 ^ key1;
    let seen = 0;
    const length = text.length;

    for (let index = 0; index <= length; index += 4) {
      let word = 0;
      if (index + 4 <= length) {
        const first = text.charCodeAt(index);
        const second = text.charCodeAt(index + 1);
        const third = text.charCodeAt(index + 2);
        const fourth = text.charCodeAt(index + 3);
        seen |= first | second | third | fourth;
        word = first | (second << 8) | (third << 16) | (fourth << 24);
      } else {
        word = length << 24;
        for (let last = index; last < length; last++) {
          const code = text.charCodeAt(last);
          seen |= code;
          word |= code << ((last - index) * 8);
        }
      }
      v3 ^= word;
      // The round is written out twice: a shared function cannot return four words without an array.
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    if (seen > 0xff) return false;

    v2 ^= 0xee;
    for (let round = 1; round <= 6; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      if (round !== 3) continue;
      digest[0] = v1 ^ v3;
      v1 ^= 0xdd;
    }
    digest[1] = v1 ^ v3;
    return true;
  };
}

/**
 * Returns the hash key for one name out of many under a secret of 8 bytes: a key per name instead of
 * a prefix per key, so no concatenation on the hot path and no collision.
 */
export function ledgerKey(secret: Uint8Array, policyName: string): Uint8Array {
  const digest = new Uint32Array(2);
  createHalfSipHash(secret)(policyName, digest);
  return new Uint8Array(digest.buffer);
}
