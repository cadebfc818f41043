import { randomInt } from "node:crypto";

const SAMPLES = 64;

/** How long the last 64 verifications took, for answers that are to take as long without one. */
export class VerificationTime {
  readonly #samplesMs: number[] = [];
  #next = 0;

  note(durationMs: number): void {
    this.#samplesMs[this.#next] = durationMs;
    this.#next = (this.#next + 1) % SAMPLES;
  }

  /** Returns one of them, picked at random: a mean would stand out by being the same every time. */
  typicalMs(): number {
    const { length } = this.#samplesMs;
    return length === 0 ? 0 : this.#samplesMs[randomInt(length)]!;
  }
}
