import { HeadersError } from "./errors.ts";
import { quotedNonce } from "./inline-sources.ts";
import { createNonce } from "./nonce.ts";
import {
  MAX_POLICY_CHARACTERS,
  NO_INLINE_SOURCES,
  policyText,
  type InlineSources,
  type ResolvedDirective,
} from "./policy-text.ts";

/** Whether a response travels over TLS; only then it carries HSTS and upgrade-insecure-requests. */
export interface ResponseSecurity {
  readonly secure: boolean;
}

const STRICT_TRANSPORT_SECURITY = "strict-transport-security";

/** Stands for the nonce in a prepared policy: no checked entry contains it. */
const NONCE_MARK = "\0";

/** The enforced policy, the tried one, or both. */
export interface Policy {
  readonly name: string;
  readonly directives: readonly ResolvedDirective[];
}

/** Returns the policies as header fields, for one kind of page. */
export function policyFields(
  policies: readonly Policy[],
  context: ResponseSecurity & { readonly inline: InlineSources },
): readonly string[] {
  return policies.flatMap(({ name, directives }) => [name, policyText(directives, context)]);
}

/** Returns how long the policies of these fields are together. */
function policyLength(fields: readonly string[]): number {
  return fields.reduce((sum, text, index) => (index % 2 === 1 ? sum + text.length : sum), 0);
}

/** Returns why proxies would drop these policies, or undefined when they would not. */
export function tooLong(fields: readonly string[]): HeadersError | undefined {
  const length = policyLength(fields);
  if (length <= MAX_POLICY_CHARACTERS) return undefined;
  return new HeadersError(
    "ERR_HEADERS_POLICY_TOO_LONG",
    `Cannot send a Content-Security-Policy of ${length} characters: proxies drop responses with more than ${MAX_POLICY_CHARACTERS}`,
  );
}

/** What is the same for every response of one kind of connection. */
export interface Variant {
  readonly secure: boolean;
  /** The list without policies. */
  readonly others: readonly string[];
  readonly fields: readonly string[];
  /** Each policy's text, cut where the nonce goes. */
  readonly policies: readonly { readonly name: string; readonly segments: readonly string[] }[];
}

/** Returns everything that can be written before a request comes. */
export function prepareVariant(source: {
  readonly policies: readonly Policy[];
  readonly others: ReadonlyMap<string, string>;
  readonly secure: boolean;
}): Variant {
  const { policies, secure } = source;
  const others = [...source.others]
    .filter(([header]) => secure || header !== STRICT_TRANSPORT_SECURITY)
    .flat();
  const marked = { scripts: [NONCE_MARK], styles: [NONCE_MARK] };
  return {
    secure,
    others,
    fields: Object.freeze([
      ...policyFields(policies, { secure, inline: NO_INLINE_SOURCES }),
      ...others,
    ]),
    policies: policies.map(({ name, directives }) => ({
      name,
      segments: policyText(directives, { secure, inline: marked }).split(NONCE_MARK),
    })),
  };
}

/** Returns the list for a page with the nonce. */
export function fillNonce(variant: Variant, nonce: string): readonly string[] {
  const source = quotedNonce(nonce);
  const fields: string[] = [];
  for (const { name, segments } of variant.policies) fields.push(name, segments.join(source));
  return fields.concat(variant.others);
}

/** Throws a RangeError if the policies are too long already at construction. */
export function checkPolicyLength(variant: Variant): void {
  const length = policyLength(
    fillNonce(variant, createNonce()).slice(0, 2 * variant.policies.length),
  );
  if (length > MAX_POLICY_CHARACTERS) {
    throw new RangeError(
      `contentSecurityPolicy must be at most ${MAX_POLICY_CHARACTERS} characters, got ${length}`,
    );
  }
}
