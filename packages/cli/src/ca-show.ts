import { checkAuthority, type AuthorityFinding, type AuthorityReport } from "@hauberk/cert";
import { AUTHORITY_OPTIONS, authorityLocation } from "./authority-options.ts";
import { noPositionals, parseCommand } from "./command.ts";

/** `hauberk ca show`: what the CA is, where it is kept, and what is wrong with it. */
export async function caShow(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommand(args, {
    ...AUTHORITY_OPTIONS,
    json: { type: "boolean" },
  });
  noPositionals("ca show", positionals);
  const report = await checkAuthority(authorityLocation(values));
  process.stdout.write(
    values.json === true ? `${JSON.stringify(report, undefined, 2)}\n` : describeReport(report),
  );
  return report.findings.some(({ severity }) => severity === "error") ? 1 : 0;
}

function describeReport(report: AuthorityReport): string {
  const { certificate, encrypted, others, findings } = report;
  const health =
    findings.length === 0 ? ["Health: good"] : ["Health", ...findings.map(describeFinding)];
  return [
    ...(certificate === undefined
      ? []
      : [
          certificate.subject,
          `  fingerprint  ${certificate.fingerprint256}`,
          `  key          ${certificate.key}${keyState(encrypted)}`,
          `  valid        ${day(certificate.notBefore)} to ${day(certificate.notAfter)}`,
          `  may sign     ${permitted(certificate.nameConstraints)}`,
          `  certificate  ${report.certificateFile}`,
          `  private key  ${report.keyFile}`,
        ]),
    ...(others.length === 0 ? [] : [`  other CAs    ${others.join(", ")}`]),
    ...health,
    "",
  ].join("\n");
}

/** Returns what is wrong and what helps, on two lines. */
export function describeFinding({ severity, problem, repair }: AuthorityFinding): string {
  return `  ${severity}: ${problem}\n    ${repair}`;
}

function keyState(encrypted: boolean | undefined): string {
  if (encrypted === undefined) return "";
  return encrypted ? ", encrypted" : ", not encrypted";
}

type Constraints = NonNullable<AuthorityReport["certificate"]>["nameConstraints"];

function permitted(constraints: Constraints): string {
  if (constraints === undefined) return "EVERY name and address";
  const { dns, ip } = constraints.permitted;
  return `${dns.join(", ") || "EVERY host name"}; ${ip.join(", ") || "EVERY address"}`;
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
