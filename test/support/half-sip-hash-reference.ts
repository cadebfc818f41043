/** HalfSipHash-c-d with 64-bit output, byte by byte as the paper has it. */
export function halfSipHashReference(
  rounds: { readonly compression: number; readonly finalization: number },
  key: Uint8Array,
  message: Uint8Array,
): Uint8Array {
  const [key0, key1] = wordsOf(key) as [number, number];
  const state = [0, 0xee, 0x6c796765, 0x74656462];
  [key0, key1, key0, key1].forEach((word, index) => {
    state[index] = (state[index]! ^ word) >>> 0;
  });

  const padded = new Uint8Array(Math.ceil((message.length + 1) / 4) * 4);
  padded.set(message);
  padded[padded.length - 1] = message.length & 0xff;
  for (const word of wordsOf(padded)) {
    state[3] = (state[3]! ^ word) >>> 0;
    for (let round = 0; round < rounds.compression; round++) sipRound(state);
    state[0] = (state[0]! ^ word) >>> 0;
  }

  const digest = new DataView(new ArrayBuffer(8));
  state[2] = (state[2]! ^ 0xee) >>> 0;
  for (let round = 0; round < rounds.finalization; round++) sipRound(state);
  digest.setUint32(0, state[1]! ^ state[3]!, true);
  state[1] = (state[1]! ^ 0xdd) >>> 0;
  for (let round = 0; round < rounds.finalization; round++) sipRound(state);
  digest.setUint32(4, state[1] ^ state[3]!, true);
  return new Uint8Array(digest.buffer);
}

function sipRound(state: number[]): void {
  addXor(state, 0, 1, 5);
  state[0] = rotate(state[0]!, 16);
  addXor(state, 2, 3, 8);
  addXor(state, 0, 3, 7);
  addXor(state, 2, 1, 13);
  state[2] = rotate(state[2]!, 16);
}

function addXor(state: number[], sum: number, other: number, bits: number): void {
  state[sum] = (state[sum]! + state[other]!) >>> 0;
  state[other] = (rotate(state[other]!, bits) ^ state[sum]) >>> 0;
}

function rotate(word: number, bits: number): number {
  return ((word << bits) | (word >>> (32 - bits))) >>> 0;
}

function wordsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(index * 4, true));
}
