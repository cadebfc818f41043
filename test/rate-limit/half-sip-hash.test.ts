import { createHalfSipHash } from "@hauberk/rate-limit";
import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { halfSipHashReference } from "../support/half-sip-hash-reference.ts";

const KEY = Uint8Array.from({ length: 8 }, (_, index) => index);

/** `vectors_hsip64` of github.com/veorq/SipHash (CC0): entry n hashes the bytes 0 to n - 1 under 00..07. */
const HALF_SIP_HASH_2_4_64 = [
  "218d1f59b9b83cc8 be552412f8387315 064f39ef7c50eb57 ce0f1a45f7060679",
  "d5e78a175be52ea1 cb9d7c3f2f3db580 ce3e91358aa2bc25 ff202728b07bc684",
  "edfee820bce4858c 5b51cccc13888307 95b0469f06a6f2ee ae26333994ddcd48",
  "7bc71f9faef5c799 5a2352d75a0c3744 3bb1a870eae8e658 217d0bcb4e81c902",
].flatMap((line) => line.split(" "));

/** The digest as bytes: its words are stored low byte first on every platform Node runs on. */
function digestOf(key: Uint8Array, text: string): string {
  const digest = new Uint32Array(2);
  createHalfSipHash(key)(text, digest);
  return Buffer.from(digest.buffer).toString("hex");
}

/** Latin-1 where that is enough; else UTF-16LE, under a key that is the hash of "utf-16". */
function referenceDigestOf(key: Uint8Array, text: string): string {
  const rounds = { compression: 1, finalization: 3 };
  const hash = (under: Uint8Array, message: Uint8Array): Uint8Array =>
    halfSipHashReference(rounds, under, message);
  // oxlint-disable-next-line no-control-regex
  const isLatin1 = /^[\x00-\xff]*$/.test(text);
  const digest = isLatin1
    ? hash(key, Buffer.from(text, "latin1"))
    : hash(hash(key, Buffer.from("utf-16")), Buffer.from(text, "utf16le"));
  return Buffer.from(digest).toString("hex");
}

describe("createHalfSipHash()", () => {
  it("is measured against a reference that reproduces the authors' HalfSipHash-2-4 vectors", () => {
    const rounds = { compression: 2, finalization: 4 };
    const digests = HALF_SIP_HASH_2_4_64.map((_, length) => {
      const message = Uint8Array.from({ length }, (_unused, index) => index);
      return Buffer.from(halfSipHashReference(rounds, KEY, message)).toString("hex");
    });
    expect(digests).to.deep.equal(HALF_SIP_HASH_2_4_64);
  });

  for (const [what, most] of [
    ["Latin-1", 0xff],
    ["any", 0xffff],
  ] as const) {
    it(`hashes ${what} strings, lone surrogates included, as HalfSipHash-1-3 does their bytes`, () => {
      const keys = fc.uint8Array({ minLength: 8, maxLength: 8 });
      const texts = fc
        .array(fc.integer({ min: 0, max: most }), { maxLength: 40 })
        .map((units) => String.fromCharCode(...units));
      fc.assert(
        fc.property(keys, texts, (key, text) => {
          expect(digestOf(key, text)).to.equal(referenceDigestOf(key, text));
        }),
      );
    });
  }

  it("tells a wide string from the Latin-1 string of its bytes", () => {
    for (const text of ["\u0100", "\u4e2d\u6587", "a\u0101", "\ud800"]) {
      const bytes = Buffer.from(text, "utf16le").toString("latin1");
      expect(digestOf(KEY, text)).to.not.equal(digestOf(KEY, bytes));
    }
  });

  it("tells apart strings that differ only in length beyond 255 characters", () => {
    const digests = [0, 256, 512].map((length) => digestOf(KEY, "\0".repeat(length)));
    expect(new Set(digests).size).to.equal(3);
    expect(digests).to.deep.equal(
      [0, 256, 512].map((length) => referenceDigestOf(KEY, "\0".repeat(length))),
    );
  });

  it("reads a key that is a view into a larger buffer", () => {
    const buffer = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
    const view = buffer.subarray(3, 11);
    expect(digestOf(view, "text")).to.equal(digestOf(Uint8Array.from(view), "text"));
  });

  it("refuses a key that has not 8 bytes", () => {
    expect(() => createHalfSipHash(new Uint8Array(16))).to.throw(RangeError, /8 bytes, got 16/);
  });
});
