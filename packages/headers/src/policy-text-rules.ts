import {
  DIRECTIVE_KINDS,
  isDirectiveName,
  REMOVED_DIRECTIVES,
  type DirectiveName,
} from "./csp-directives.ts";
import { entryProblem, listProblem } from "./csp-source.ts";
import { suggestion } from "./option-checks.ts";
import type { FindingSeverity, PolicyFinding } from "./policy-finding.ts";
import { finding, knownDirectives, type Rule } from "./policy-lint-rule.ts";
import { MAX_POLICY_CHARACTERS } from "./policy-text.ts";

/** nginx gives a response's head 4 KB by default on some platforms, 8 KB on others. */
const LONG_POLICY_CHARACTERS = 4096;

const deadDirectives: Rule = ({ directives, repeated }) => [
  ...[...directives.keys()].flatMap((directive) => {
    if (isDirectiveName(directive)) return [];
    const isRemoved = REMOVED_DIRECTIVES.has(directive);
    return finding(
      isRemoved ? "removed-directive" : "unknown-directive",
      "medium",
      { directive },
      isRemoved
        ? { reason: "no browser implements it any more: it protects nothing", fix: "remove it" }
        : {
            reason: "browsers know no such directive and ignore it",
            fix: `correct or remove it${suggestion(directive, Object.keys(DIRECTIVE_KINDS))}`,
          },
    );
  }),
  ...repeated.map((directive) =>
    finding(
      "repeated-directive",
      "medium",
      { directive },
      {
        reason: "it is named more than once, and browsers ignore all but the first",
        fix: "write all its entries into the first",
      },
    ),
  ),
];

const malformedEntries: Rule = ({ directives }) =>
  knownDirectives(directives).flatMap(([directive, entries]) => [
    ...entries.flatMap((value) => {
      const problem = isDirectiveName(value)
        ? "it is the name of a directive, and a ; is missing before it"
        : entryProblem(directive, value);
      if (problem === undefined) return [];
      const words = {
        reason: `browsers ignore the entry: ${problem}`,
        fix: "correct or remove it",
      };
      return finding("malformed-entry", "medium", { directive, value }, words);
    }),
    ...listFindings(directive, entries),
  ]);

function listFindings(directive: DirectiveName, entries: readonly string[]): PolicyFinding[] {
  const problem = entries.length > 1 ? listProblem(directive, entries) : undefined;
  if (problem === undefined) return [];
  return [
    finding(
      "contradicting-entries",
      "medium",
      { directive, value: entries.join(" ") },
      { reason: problem, fix: "keep one or the others" },
    ),
  ];
}

const missing: Rule = ({ directives }) => {
  const absent = (
    directive: string,
    severity: FindingSeverity,
    words: { reason: string; fix: string },
  ): readonly PolicyFinding[] =>
    directives.has(directive) ? [] : [finding(`no-${directive}`, severity, { directive }, words)];
  return [
    ...absent("default-src", "medium", {
      reason: "kinds of content that no directive names load from anywhere",
      fix: "add default-src 'none' or 'self', and name the rest",
    }),
    ...absent("frame-ancestors", "medium", {
      reason: "default-src does not speak for it: any site can frame the page",
      fix: "add frame-ancestors 'none' or 'self'",
    }),
    ...absent("form-action", "low", {
      reason: "default-src does not speak for it: an injected form can send data to any host",
      fix: "add form-action 'self' or 'none'",
    }),
  ];
};

const contradictions: Rule = ({ directives, isReportOnly }) => {
  const findings: PolicyFinding[] = [];
  const sandbox = directives.get("sandbox") ?? [];
  if (sandbox.includes("allow-scripts") && sandbox.includes("allow-same-origin")) {
    findings.push(
      finding(
        "sandbox-escape",
        "medium",
        { directive: "sandbox" },
        {
          reason: "a page with both can take its sandbox off",
          fix: "leave allow-same-origin or allow-scripts out",
        },
      ),
    );
  }
  const shadows = ["frame-src", "worker-src"].every((name) => directives.has(name));
  if (directives.has("child-src") && shadows) {
    findings.push(
      finding(
        "void-directive",
        "info",
        { directive: "child-src" },
        { reason: "frame-src and worker-src speak for all it governs", fix: "remove it" },
      ),
    );
  }
  const silent = ["sandbox", "upgrade-insecure-requests"].filter((name) => directives.has(name));
  if (!isReportOnly) return findings;
  return [
    ...findings,
    ...silent.map((directive) =>
      finding(
        "void-directive",
        "low",
        { directive },
        { reason: "browsers ignore it in a policy that only reports", fix: "remove it" },
      ),
    ),
  ];
};

const reporting: Rule = ({ directives, isReportOnly }) => {
  const hasOld = directives.has("report-uri");
  if (directives.has("report-to")) {
    const words = {
      reason: "Firefox before 149 and Safari before 16.4 do not know report-to",
      fix: "add report-uri with the same address; browsers that know both use report-to alone",
    };
    return hasOld ? [] : [finding("report-to-alone", "info", { directive: "report-to" }, words)];
  }
  if (hasOld) return [];
  return [
    finding(
      "no-reports",
      isReportOnly ? "medium" : "info",
      {},
      {
        reason: isReportOnly
          ? "a policy that only reports, to nobody, does nothing"
          : "nobody learns what it blocks",
        fix: "add report-to, with Reporting-Endpoints, and report-uri",
      },
    ),
  ];
};

const size: Rule = ({ text }) => {
  if (text.length <= LONG_POLICY_CHARACTERS) return [];
  const isTooLong = text.length > MAX_POLICY_CHARACTERS;
  return [
    finding(
      "long-policy",
      isTooLong ? "high" : "medium",
      {},
      {
        reason: `it has ${text.length} characters; proxies drop responses whose head passes 4 or 8 KB`,
        fix: "use 'strict-dynamic' instead of hosts, and files instead of hashes of inline scripts",
      },
    ),
  ];
};

/** Rules about the policy as a text: what has no effect, what is missing, what nobody receives. */
export const TEXT_RULES: readonly Rule[] = [
  deadDirectives,
  malformedEntries,
  missing,
  contradictions,
  reporting,
  size,
];
