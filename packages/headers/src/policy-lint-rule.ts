import { isDirectiveName, type DirectiveName } from "./csp-directives.ts";
import type { FindingSeverity, PolicyFinding } from "./policy-finding.ts";

/** One policy with what its rules look at. */
export interface LintedPolicy {
  readonly text: string;
  readonly directives: ReadonlyMap<string, readonly string[]>;
  readonly repeated: readonly string[];
  readonly isReportOnly: boolean;
}

export type Rule = (policy: LintedPolicy) => readonly PolicyFinding[];

export function finding(
  rule: string,
  severity: FindingSeverity,
  about: { directive?: string; value?: string },
  words: { reason: string; fix: string },
): PolicyFinding {
  return { rule, severity, directive: about.directive, value: about.value, ...words };
}

/** Returns the directives that browsers know. */
export function knownDirectives(
  directives: ReadonlyMap<string, readonly string[]>,
): (readonly [DirectiveName, readonly string[]])[] {
  return [...directives].flatMap(([name, entries]) =>
    isDirectiveName(name) ? [[name, entries] as const] : [],
  );
}
