import type { Decision } from "./decision.ts";

/** One policy's arithmetic over where its keys are kept. Arguments have been checked; `now` is ticks. */
export interface Meter {
  /** Decides about `cost` >= 1, and charges it when it is admitted. */
  consume(key: string, cost: number, now: number): Decision;
  /** Decides about `cost` >= 1, and charges nothing. */
  peek(key: string, cost: number, now: number): Decision;
  /** Charges as much of `cost` as still fits. */
  charge(key: string, cost: number, now: number): void;
  refund(key: string, cost: number, now: number): void;
  block(key: string, duration: number, now: number): void;
  forget(key: string): void;
}
