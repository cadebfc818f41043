import type { Script } from "./gcra-script.ts";

/** What the store needs of a Redis client. */
export interface RedisConnection {
  readonly isCluster: boolean;
  /** Whether there is a connection that takes commands. */
  isReady(): boolean;
  /** Returns a name for the server that has the slot: what fails and recovers as one. */
  nodeOf(slot: number): string;
  /**
   * Runs a script once: never again after it may have been run. All keys are in one slot of a
   * cluster. Rejects at once while there is no connection.
   */
  run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown>;
  /** Looks for the server anew, after one that does not answer or is no master any more. */
  reconnect(): void;
  close(): void;
}
