import { echo, oneOf, optionRecord } from "./option-checks.ts";

const TOKENS = [
  "no-referrer",
  "no-referrer-when-downgrade",
  "same-origin",
  "origin",
  "strict-origin",
  "origin-when-cross-origin",
  "strict-origin-when-cross-origin",
  "unsafe-url",
  "",
] as const;

/** A referrer policy; the empty text leaves the choice to the browser. */
export type ReferrerPolicyToken = (typeof TOKENS)[number];

/** Options of the Referrer-Policy header. */
export interface ReferrerPolicyOptions {
  /**
   * How much of the page's address other servers learn. Of a list browsers take the last they know.
   * With `"no-referrer"` browsers also send `Origin: null` with form posts to the own origin.
   *
   * @default "no-referrer"
   * @see Referrer Policy section 3
   */
  readonly policy?: ReferrerPolicyToken | readonly ReferrerPolicyToken[];
}

const KNOWN_OPTIONS = { policy: true } satisfies Record<keyof ReferrerPolicyOptions, true>;

/** Returns the tokens to send, or false when the header is switched off. */
export function parseReferrerPolicy(
  path: string,
  option: unknown,
  preset: readonly ReferrerPolicyToken[],
): readonly ReferrerPolicyToken[] | false {
  if (option === false) return false;
  if (option === undefined || option === true) return preset;
  const policy = optionRecord(path, option, KNOWN_OPTIONS).get("policy") ?? preset;
  const given: readonly unknown[] = Array.isArray(policy) ? policy : [policy];
  const tokens = given.map((token) => oneOf(`${path}.policy`, token, TOKENS));
  if (tokens.length === 0) throw new TypeError(`${path}.policy must name a policy, got []`);
  if (new Set(tokens).size < tokens.length) {
    throw new TypeError(`${path}.policy names a policy twice: ${echo(policy)}`);
  }
  return tokens;
}
