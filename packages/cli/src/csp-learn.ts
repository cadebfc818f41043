import { compileSecurityHeaders, type PresetName } from "@hauberk/headers";
import {
  type PolicyProposal,
  proposePolicy,
  readReportEntries,
  type ReportEntry,
} from "@hauberk/headers/reports";
import { choice, parseCommand, wholeNumber } from "./command.ts";
import { findPolicies } from "./csp-source.ts";
import { printable } from "./inspect-report.ts";
import { misuse } from "./misuse.ts";

const PRESETS: readonly PresetName[] = ["site", "strict", "api", "spa"];
const MAX_LINES = 40;

/** `hauberk csp learn`: what the reports of a collector would have to change about a policy. */
export async function cspLearn(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseCommand(args, {
    policy: { type: "string" },
    preset: { type: "string" },
    "min-reporters": { type: "string" },
    json: { type: "boolean" },
  });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) {
    throw misuse("csp learn takes one file of reports; see hauberk help csp");
  }
  if (values.policy !== undefined && values.preset !== undefined) {
    throw misuse("--policy and --preset name two policies; leave one out");
  }
  const minReporters = wholeNumber("--min-reporters", values["min-reporters"] ?? "3", 1, 16);
  const policy =
    values.policy === undefined
      ? policyOfPreset(choice("--preset", values.preset ?? "site", PRESETS))
      : await policyOf(values.policy);
  const entries = await readReportEntries(file);
  const proposal = proposePolicy({ policy, entries, minReporters });
  process.stdout.write(
    values.json === true
      ? `${JSON.stringify(proposal, undefined, 2)}\n`
      : printable(reportText(entries, proposal)),
  );
}

function policyOfPreset(preset: PresetName): string {
  const fields = compileSecurityHeaders({ preset }).fields({ secure: true });
  return fields[fields.indexOf("content-security-policy") + 1] ?? "";
}

async function policyOf(source: string): Promise<string> {
  const [policy] = await findPolicies(source);
  if (policy !== undefined) return policy.text;
  throw new Error(`cannot find a Content-Security-Policy in ${JSON.stringify(source)}`);
}

function reportText(entries: readonly ReportEntry[], proposal: PolicyProposal): string {
  if (entries.length === 0) return "No reports\n";
  const { changes, declined, diff, policy } = proposal;
  return [
    summary(entries),
    ...(changes.length === 0
      ? ["", "No change is proposed"]
      : ["", "Proposed change, to be made by hand", diff, "", ...changes.map(changeLine)]),
    ...(changes.length === 0 ? [] : ["", "The policy would be", `  ${policy}`]),
    ...(declined.length === 0 ? [] : ["", "No change proposed for", ...declinedLines(declined)]),
    "",
  ].join("\n");
}

function summary(entries: readonly ReportEntry[]): string {
  const reports = entries.reduce((sum, { count }) => sum + count, 0);
  const first = Math.min(...entries.map(({ firstAt }) => firstAt));
  const last = Math.max(...entries.map(({ lastAt }) => lastAt));
  return `${reports} reports of ${entries.length} different things, ${day(first)} to ${day(last)}`;
}

function changeLine(change: PolicyProposal["changes"][number]): string {
  const { directive, source, count, reporters, caution } = change;
  const advice = caution === undefined ? "" : `\n      ${caution}`;
  return `  ${directive} ${source}: ${reportsBy(count, reporters)}${advice}`;
}

function declinedLines(declined: PolicyProposal["declined"]): string[] {
  const lines = declined
    .slice(0, MAX_LINES)
    .map(
      ({ directive, blocked, count, reporters, reason }) =>
        `  ${directive} ${blocked || "(not said)"}: ${reportsBy(count, reporters)}\n      ${reason}`,
    );
  const rest = declined.length - lines.length;
  return rest > 0 ? [...lines, `  and ${rest} more; --json lists them`] : lines;
}

function reportsBy(count: number, reporters: number): string {
  const reports = count === 1 ? "1 report" : `${count} reports`;
  return `${reports} by ${reporters === 1 ? "one client" : `${reporters} clients`}`;
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
