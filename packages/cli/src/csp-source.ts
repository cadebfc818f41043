import { existsSync } from "node:fs";
import { readInput } from "./input-file.ts";
import { misuse } from "./misuse.ts";

/** A policy and where it was found. */
export interface FoundPolicy {
  readonly text: string;
  readonly isReportOnly: boolean;
}

const REQUEST_MS = 10_000;
const HEADER = "content-security-policy";
const HEADER_LINE = /^[ \t]*content-security-policy(-report-only)?[ \t]*:[ \t]*(.*)$/gim;

/**
 * Returns the policies of a site, of a file (the policy itself, or a saved response head), of standard
 * input for "-", or the argument itself when it is a policy.
 *
 * @throws {MisuseError} The argument is none of these.
 * @throws {Error} The site or the file cannot be read.
 */
export async function findPolicies(source: string): Promise<readonly FoundPolicy[]> {
  if (/^https?:\/\//i.test(source)) return policiesOfSite(source);
  if (source === "-" || existsSync(source)) {
    return policiesInText((await readInput(source)).toString("utf8"));
  }
  if (/[\s;]/.test(source) || /^[a-z]+(?:-[a-z]+)+$/i.test(source)) return policiesInText(source);
  throw misuse(`${JSON.stringify(source)} is no address, no file, and no policy`);
}

async function policiesOfSite(address: string): Promise<readonly FoundPolicy[]> {
  const response = await fetch(address, { signal: AbortSignal.timeout(REQUEST_MS) }).catch(
    (error: unknown) => {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`cannot read ${address}: ${reason}`, { cause: error });
    },
  );
  await response.body?.cancel();
  return [
    { name: HEADER, isReportOnly: false },
    { name: `${HEADER}-report-only`, isReportOnly: true },
  ].flatMap(({ name, isReportOnly }) => {
    const text = response.headers.get(name);
    return text === null ? [] : [{ text, isReportOnly }];
  });
}

function policiesInText(text: string): readonly FoundPolicy[] {
  const lines = [...text.matchAll(HEADER_LINE)].map(([, suffix, value = ""]) => ({
    text: value.trim(),
    isReportOnly: suffix !== undefined,
  }));
  if (lines.length > 0) return lines;
  return [{ text: text.trim(), isReportOnly: false }];
}
