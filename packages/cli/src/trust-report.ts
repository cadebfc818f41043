import type { Obstacle, TrustChange, TrustStatus, TrustStore } from "@hauberk/cert/trust-store";
import { commandLine, userShell } from "./shell-syntax.ts";

/** What a change of one store came to, and which words tell so. */
export interface ChangeWords {
  readonly changed: string;
  readonly unchanged: string;
}

/** Returns the lines that tell what was done to a store, or what has to be done by hand. */
export function describeChange(store: TrustStore, change: TrustChange, words: ChangeWords): string {
  const lines = {
    changed: () => [words.changed, ...commandsOf(change).map((command) => `  ran  ${command}`)],
    unchanged: () => [words.unchanged],
    absent: () => ["not on this computer"],
    failed: () => ["FAILED", ...describeObstacle(change)],
  }[change.outcome]();
  return withTitle(store, lines);
}

/** Returns the lines that tell whether a store trusts the CA. */
export function describeStatus(store: TrustStore, status: TrustStatus): string {
  const lines = {
    trusted: () => ["trusted"],
    untrusted: () => ["not trusted"],
    absent: () => ["not on this computer"],
    unknown: () => ["cannot tell", ...describeObstacle(status)],
  }[status.state]();
  return withTitle(store, lines);
}

/** Returns what stands in the way, if anything does. */
export function obstacleOf(result: TrustChange | TrustStatus): Obstacle | undefined {
  return "obstacle" in result ? result.obstacle : undefined;
}

function describeObstacle(result: TrustChange | TrustStatus): string[] {
  const { reason = "", commands = [] } = obstacleOf(result) ?? {};
  const lines = commands.map((command) => `    ${commandLine(userShell(), command)}`);
  return [`  ${reason}${lines.length > 0 ? "; run" : ""}`, ...lines];
}

function commandsOf(change: TrustChange): string[] {
  if (change.outcome !== "changed") return [];
  return change.commands.map((command) => commandLine(userShell(), command));
}

function withTitle({ title, location }: TrustStore, [first = "", ...more]: string[]): string {
  const place = location === "" ? "" : ` (${location})`;
  return [`${title}${place}: ${first}`, ...more, ""].join("\n");
}
