import { describePolicy } from "@hauberk/headers";
import { type FindingSeverity, lintPolicy, type PolicyFinding } from "@hauberk/headers/lint";
import { choice, parseCommand } from "./command.ts";
import { findPolicies, type FoundPolicy } from "./csp-source.ts";
import { printable } from "./inspect-report.ts";
import { misuse } from "./misuse.ts";

const SEVERITIES: readonly FindingSeverity[] = ["high", "medium", "low", "info"];

interface LintedPolicy extends FoundPolicy {
  readonly findings: readonly PolicyFinding[];
}

/** `hauberk csp lint`: exit code 1 when a finding is as grave as `--fail-on`, or there is no policy. */
export async function cspLint(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommand(args, {
    json: { type: "boolean" },
    describe: { type: "boolean" },
    "fail-on": { type: "string" },
  });
  const [source, ...more] = positionals;
  if (source === undefined || more.length > 0) {
    throw misuse("csp lint takes one policy, address or file, in quotes; see hauberk help csp");
  }
  const failOn = choice("--fail-on", values["fail-on"] ?? "medium", [...SEVERITIES, "never"]);
  const policies = (await findPolicies(source)).map((policy) => ({
    ...policy,
    findings: lintPolicy(policy.text, { reportOnly: policy.isReportOnly }),
  }));
  const report =
    values.json === true
      ? `${JSON.stringify(policies, undefined, 2)}\n`
      : reportText(policies, values.describe === true);
  process.stdout.write(values.json === true ? report : printable(report));
  const isGrave = policies.some(({ findings }) =>
    findings.some(({ severity }) => isAtLeast(severity, failOn)),
  );
  return policies.length === 0 || isGrave ? 1 : 0;
}

function isAtLeast(severity: FindingSeverity, limit: FindingSeverity | "never"): boolean {
  return limit !== "never" && SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(limit);
}

function reportText(policies: readonly LintedPolicy[], isDescribed: boolean): string {
  if (policies.length === 0) return "No Content-Security-Policy: every script runs\n";
  return policies
    .map(({ text, isReportOnly, findings }) =>
      [
        isReportOnly ? "Content-Security-Policy-Report-Only" : "Content-Security-Policy",
        ...(isDescribed ? [...describePolicy(text).map((line) => `  ${line}`), ""] : []),
        ...findings.flatMap(findingLines),
        summary(findings),
        "",
      ].join("\n"),
    )
    .join("\n");
}

function findingLines({ rule, severity, directive, value, reason, fix }: PolicyFinding): string[] {
  const about = [directive, value].filter((part) => part !== undefined).join(" ");
  return [
    `  ${severity.padEnd(7)} ${about === "" ? rule : `${about} (${rule})`}`,
    `          ${reason}`,
    `          fix: ${fix}`,
  ];
}

function summary(findings: readonly PolicyFinding[]): string {
  if (findings.length === 0) return "  nothing to say against it";
  const counts = SEVERITIES.map((severity) => ({
    severity,
    count: findings.filter((finding) => finding.severity === severity).length,
  }));
  return `  ${counts
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${count} ${severity}`)
    .join(", ")}`;
}
