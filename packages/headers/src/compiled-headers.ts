import {
  policyDirectives,
  type ContentSecurityPolicyDirectives,
} from "./content-security-policy.ts";
import {
  closeDynamic,
  hasFunctions,
  resolveDirectives,
  type Exchange,
} from "./directive-functions.ts";
import type { HeadersError } from "./errors.ts";
import { parseSecurityHeadersOptions } from "./header-settings.ts";
import {
  checkPolicyLength,
  fillNonce,
  policyFields,
  prepareVariant,
  tooLong,
  type Policy,
  type ResponseSecurity,
  type Variant,
} from "./header-variant.ts";
import { recordHelmet, type RecordedPolicy } from "./helmet-adapter.ts";
import type { InlineHashes } from "./inline-hashes.ts";
import { checkNonce, quotedHashes, quotedNonce } from "./inline-sources.ts";
import { ownHeaders } from "./own-headers.ts";
import { usesNonce } from "./policy-text.ts";
import type { SecurityHeadersOptions } from "./security-headers-options.ts";

/** Prepared headers of every response: flat lists `[name, value, ...]` for `writeHead`, names in lower case. */
export interface CompiledHeaders {
  /**
   * Whether the policy has a place for a nonce or hashes; without one all three lists are the same,
   * unless there are hashes of attributes.
   */
  readonly usesNonce: boolean;
  /**
   * Returns the list for a response without inline scripts or styles of its own: an image, a
   * redirect, an error page. The same frozen array for the same `secure`.
   */
  fields(response: ResponseSecurity): readonly string[];
  /**
   * Returns the list for a page rendered with `nonce`, a value of `createNonce()` used only once.
   *
   * @throws {TypeError} If `nonce` is not base64.
   */
  fieldsWithNonce(response: ResponseSecurity & { readonly nonce: string }): readonly string[];
  /**
   * Returns the list for a page whose content `inlineHashes()` described. Keep it beside the file:
   * it is as constant as the page.
   *
   * @throws {TypeError} If a hash is malformed.
   * @throws {HeadersError} ERR_HEADERS_POLICY_TOO_LONG when the policy passes 8192 characters, at
   * about 140 hashes.
   */
  fieldsWithHashes(
    response: ResponseSecurity & { readonly hashes: InlineHashes },
  ): readonly string[];
}

/** The compiled headers with what only the middleware needs. */
export interface HeaderPlan {
  readonly headers: CompiledHeaders;
  /** Whether some directive must be computed for each request. */
  readonly isDynamic: boolean;
  /** The enforced policy as plain directives, empty when there is none. */
  readonly policy: ContentSecurityPolicyDirectives;
  /** Headers that are taken away, in lower case. */
  readonly removed: readonly string[];
  /** Returns the list for one request; with a `failure`, what failed allows nothing. */
  fieldsFor(
    exchange: Exchange,
    context: ResponseSecurity & { readonly nonce: string },
  ): { readonly fields: readonly string[]; readonly failure: HeadersError | undefined };
}

function closePolicies(policies: readonly RecordedPolicy[]): readonly Policy[] {
  return policies.map(({ name, directives }) => ({ name, directives: closeDynamic(directives) }));
}

/** Calls the functions of every policy for one response; never throws. */
function resolvePolicies(
  policies: readonly RecordedPolicy[],
  exchange: Exchange,
): { readonly policies: readonly Policy[]; readonly failure: HeadersError | undefined } {
  let failure: HeadersError | undefined;
  const resolved = policies.map(({ name, directives }) => {
    const outcome = resolveDirectives(directives, exchange);
    failure ??= outcome.failure;
    return { name, directives: outcome.directives };
  });
  return { policies: resolved, failure };
}

/** Checks the options, lets helmet write the values, and prepares both kinds of connection. */
export function planHeaders(options: SecurityHeadersOptions): HeaderPlan {
  const settings = parseSecurityHeadersOptions(options);
  const { values, policies, removesPoweredBy } = recordHelmet(settings);
  const others = new Map([...values, ...ownHeaders(settings)]);
  const closed = closePolicies(policies);
  const variants = {
    secure: prepareVariant({ policies: closed, others, secure: true }),
    plain: prepareVariant({ policies: closed, others, secure: false }),
  };
  checkPolicyLength(variants.secure);

  const hasNonce = closed.some(({ directives }) => usesNonce(directives));
  const isDynamic = policies.some(({ directives }) => hasFunctions(directives));
  const variantOf = (secure: boolean): Variant => (secure ? variants.secure : variants.plain);
  const withNonce = (variant: Variant, nonce: string): readonly string[] =>
    hasNonce ? fillNonce(variant, nonce) : variant.fields;

  return {
    isDynamic,
    policy: policyDirectives(settings.contentSecurityPolicy),
    removed: [
      ...(removesPoweredBy ? ["x-powered-by"] : []),
      ...(settings.server ? ["server"] : []),
    ],
    headers: {
      usesNonce: hasNonce,
      fields: ({ secure }) => variantOf(secure).fields,
      fieldsWithNonce: ({ secure, nonce }) => withNonce(variantOf(secure), checkNonce(nonce)),
      fieldsWithHashes({ secure, hashes }) {
        const variant = variantOf(secure);
        const inline = quotedHashes(hashes);
        const hasAttributes = inline.handlers.length + inline.styleAttributes.length > 0;
        if (!hasNonce && !hasAttributes) return variant.fields;
        const fields = policyFields(closed, { secure, inline });
        const failure = tooLong(fields);
        if (failure !== undefined) throw failure;
        return [...fields, ...variant.others];
      },
    },
    fieldsFor(exchange, { secure, nonce }) {
      const variant = variantOf(secure);
      if (!isDynamic) return { fields: withNonce(variant, nonce), failure: undefined };
      const { policies: resolved, failure } = resolvePolicies(policies, exchange);
      const sources = [quotedNonce(nonce)];
      const inline = { scripts: sources, styles: sources };
      const fields = policyFields(resolved, { secure, inline });
      const excess = tooLong(fields);
      if (excess !== undefined) return { fields: withNonce(variant, nonce), failure: excess };
      return { fields: [...fields, ...variant.others], failure };
    },
  };
}

/**
 * Returns the headers as lists to write at once, for a server that owns its responses. Applications
 * use `securityHeaders()`.
 *
 * @throws {TypeError | RangeError} If an option is wrong, or a directive holds a function: there is
 * no request to call it with.
 */
export function compileSecurityHeaders(options: SecurityHeadersOptions = {}): CompiledHeaders {
  const { headers, isDynamic } = planHeaders(options);
  if (!isDynamic) return headers;
  throw new TypeError(
    "contentSecurityPolicy.directives holds a function, which only the middleware securityHeaders() can call",
  );
}
