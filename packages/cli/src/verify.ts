import { rootCertificates } from "node:tls";
import { verifyCertificate, type Verdict } from "@hauberk/cert/inspect";
import { parseCommand } from "./command.ts";
import { readInput } from "./input-file.ts";
import { minute, printable } from "./inspect-report.ts";
import { misuse } from "./misuse.ts";

/** `hauberk verify`: exit code 0 when a client would take the certificate, else 1 with the reason. */
export async function verify(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseCommand(args, {
    ca: { type: "string", multiple: true },
    intermediate: { type: "string", multiple: true },
    host: { type: "string" },
    at: { type: "string" },
    client: { type: "boolean" },
  });
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) {
    throw misuse("verify takes one certificate; see hauberk help verify");
  }
  const verdict = await verifyCertificate(await readInput(path), {
    authorities: values.ca === undefined ? rootCertificates : await readAll(values.ca),
    intermediates: await readAll(values.intermediate),
    host: values.host,
    purpose: values.client === true ? "client" : "server",
    ...(values.at !== undefined && { now: date(values.at) }),
  });
  if (verdict.kind === "invalid") throw new Error(printable(refusal(path, verdict)));
  process.stdout.write(printable(approval(path, verdict, values.host)));
}

async function readAll(paths: readonly string[] = []): Promise<Buffer[]> {
  return Promise.all(paths.map(readInput));
}

function refusal(path: string, verdict: Extract<Verdict, { kind: "invalid" }>): string {
  const { reason, isLeaf, subject } = verdict;
  const whose = isLeaf ? "" : `the CA ${JSON.stringify(subject)} above it: `;
  return `${path} is not valid: ${whose}${reason}`;
}

function approval(
  path: string,
  { path: certificates }: Extract<Verdict, { kind: "valid" }>,
  host: string | undefined,
): string {
  const ends = certificates.map(({ notAfter }) => notAfter.getTime());
  const until = minute(new Date(Math.min(...ends)));
  const lines = certificates.map(({ subject }, index) => {
    const mark = index === certificates.length - 1 ? " (trusted)" : "";
    return `  ${index + 1}  ${subject || "(no subject)"}${mark}`;
  });
  const wanted = host === undefined ? "" : ` for ${host}`;
  return [`${path} is valid${wanted} until ${until} UTC`, ...lines, ""].join("\n");
}

function date(text: string): Date {
  const isIso = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(
    text,
  );
  const parsed = new Date(text);
  if (isIso && !Number.isNaN(parsed.getTime())) return parsed;
  throw misuse(
    `--at is ${JSON.stringify(text)}; it takes a date such as 2027-01-31 or 2027-01-31T12:00Z`,
  );
}
