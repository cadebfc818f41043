import type { JointDecision } from "./consume-all.ts";
import type { SharedDecision } from "./decision.ts";

type Counts = Record<"admitted" | "limited" | "dryRunLimited" | "unavailable", number>;

/** What the policies of one middleware have decided, by name. */
export class PolicyCounters {
  readonly #byName: ReadonlyMap<string, Counts>;

  constructor(names: readonly string[]) {
    this.#byName = new Map(
      names.map((name) => [name, { admitted: 0, limited: 0, dryRunLimited: 0, unavailable: 0 }]),
    );
  }

  /** Counts a decision: where one policy refuses, the others have neither admitted nor refused. */
  note(joint: JointDecision<SharedDecision>): void {
    for (const { policy, decision } of joint.decisions) {
      if (decision.kind === joint.kind) this.#add(policy.name, decision.kind);
    }
  }

  noteDryRun(name: string, kind: "admitted" | "limited"): void {
    this.#add(name, kind === "limited" ? "dryRunLimited" : kind);
  }

  counts(): readonly ({ readonly policyName: string } & Counts)[] {
    return [...this.#byName].map(([policyName, counts]) => ({ policyName, ...counts }));
  }

  #add(name: string, count: keyof Counts): void {
    const counts = this.#byName.get(name);
    if (counts !== undefined) counts[count]++;
  }
}
