import { isDirectiveName } from "./csp-directives.ts";
import { entryProblem } from "./csp-source.ts";
import { evaluatorFindings } from "./csp-evaluator-adapter.ts";
import { SEVERITIES, type PolicyFinding } from "./policy-finding.ts";
import type { LintedPolicy } from "./policy-lint-rule.ts";
import { SOURCE_RULES } from "./policy-source-rules.ts";
import { TEXT_RULES } from "./policy-text-rules.ts";
import { parseSerializedPolicy, readPolicy, type PolicySource } from "./serialized-policy.ts";

/** How a policy is served. */
export interface LintOptions {
  /**
   * Whether it comes as Content-Security-Policy-Report-Only.
   *
   * @default false
   */
  readonly reportOnly?: boolean;
}

/** Stands for what each response fills in: 24 characters like those of `createNonce()`. */
const SAMPLE_NONCE = "'nonce-AAAAAAAAAAAAAAAAAAAAAAAA'";

function wellFormed(directives: LintedPolicy["directives"]): LintedPolicy["directives"] {
  return new Map(
    [...directives].flatMap(([name, entries]) =>
      isDirectiveName(name)
        ? [[name, entries.filter((entry) => entryProblem(name, entry) === undefined)] as const]
        : [],
    ),
  );
}

function textOf(policy: PolicySource): string {
  if (typeof policy === "string") return policy;
  return [...readPolicy(policy)]
    .map(([name, entries]) =>
      [name, ...entries.map((entry) => (entry === "'nonce'" ? SAMPLE_NONCE : entry))]
        .filter((entry) => !entry.startsWith("("))
        .join(" "),
    )
    .join(";");
}

function severalPolicies(count: number): PolicyFinding[] {
  if (count < 2) return [];
  return [
    {
      rule: "several-policies",
      severity: "info",
      directive: undefined,
      value: undefined,
      reason: `a comma starts another policy: browsers enforce all ${count} of them together`,
      fix: "percent-encode a comma inside a source (%2C); else send one policy",
    },
  ];
}

/**
 * Returns what is wrong with a policy or could be better, the gravest first: what Google's
 * csp_evaluator 1.1.8 finds, and dead directives, malformed entries, wildcards, missing directives,
 * contradictions, and sizes that proxies drop. Takes any text and throws for none.
 *
 * @throws {TypeError} If a policy given as data has a misspelt directive or a malformed entry.
 */
export function lintPolicy(
  policy: PolicySource,
  options: LintOptions = {},
): readonly PolicyFinding[] {
  const texts = textOf(policy)
    .split(",")
    .filter((text) => text.trim() !== "");
  const findings = (texts.length === 0 ? [""] : texts).flatMap((text) => {
    const { directives, repeated } = parseSerializedPolicy(text);
    const linted: LintedPolicy = {
      text: text.trim(),
      directives,
      repeated,
      isReportOnly: options.reportOnly ?? false,
    };
    return [
      ...[...TEXT_RULES, ...SOURCE_RULES].flatMap((rule) => rule(linted)),
      ...evaluatorFindings(wellFormed(directives)),
    ];
  });
  return [...severalPolicies(texts.length), ...findings].toSorted(
    (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
  );
}
