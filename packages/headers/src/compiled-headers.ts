import { isHashValue, isNonceValue } from "./csp-source.ts";
import {
  closeDynamic,
  hasFunctions,
  resolveDirectives,
  type Exchange,
} from "./directive-functions.ts";
import { HeadersError } from "./errors.ts";
import { parseSecurityHeadersOptions } from "./header-settings.ts";
import { recordHelmet } from "./helmet-adapter.ts";
import type { InlineHashes } from "./inline-hashes.ts";
import { createNonce } from "./nonce.ts";
import { echo } from "./option-checks.ts";
import {
  MAX_POLICY_CHARACTERS,
  NO_INLINE_SOURCES,
  policyText,
  usesNonce,
  type ResolvedDirective,
} from "./policy-text.ts";
import type { SecurityHeadersOptions } from "./security-headers-options.ts";

/** Whether a response travels over TLS; only then it carries HSTS and upgrade-insecure-requests. */
export interface ResponseSecurity {
  readonly secure: boolean;
}

/** Prepared headers of every response: flat lists `[name, value, ...]` for `writeHead`, names in lower case. */
export interface CompiledHeaders {
  /** Whether the policy has a place for a nonce or hashes; without one all three lists are the same. */
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
  readonly removesPoweredBy: boolean;
  /** Returns the list for one request; with a `failure`, what failed allows nothing. */
  fieldsFor(
    exchange: Exchange,
    context: ResponseSecurity & { readonly nonce: string },
  ): { readonly fields: readonly string[]; readonly failure: HeadersError | undefined };
}

const STRICT_TRANSPORT_SECURITY = "strict-transport-security";

/** Stands for the nonce in a prepared policy: no checked entry contains it. */
const NONCE_MARK = "\0";

function quoteAll(hashes: readonly string[]): string[] {
  return hashes.map((hash) => {
    if (isHashValue(hash)) return `'${hash}'`;
    throw new TypeError(`hashes must be values such as "sha256-...", got ${echo(hash)}`);
  });
}

function quotedNonce(nonce: string): string {
  return `'nonce-${nonce}'`;
}

function checkNonce(nonce: string): string {
  if (isNonceValue(nonce)) return nonce;
  throw new TypeError("nonce must be a base64 value such as createNonce() returns");
}

function tooLong(text: string): HeadersError | undefined {
  if (text.length <= MAX_POLICY_CHARACTERS) return undefined;
  return new HeadersError(
    "ERR_HEADERS_POLICY_TOO_LONG",
    `Cannot send a Content-Security-Policy of ${text.length} characters: proxies drop responses with more than ${MAX_POLICY_CHARACTERS}`,
  );
}

/** What is the same for every response of one kind of connection. */
interface Variant {
  readonly secure: boolean;
  /** The list without the policy. */
  readonly others: readonly string[];
  readonly fields: readonly string[];
  /** The policy's text, cut where the nonce goes. */
  readonly segments: readonly string[];
}

function prepareVariant(source: {
  readonly name: string;
  readonly directives: readonly ResolvedDirective[];
  readonly others: ReadonlyMap<string, string>;
  readonly secure: boolean;
}): Variant {
  const { name, directives, secure } = source;
  const others = [...source.others]
    .filter(([header]) => secure || header !== STRICT_TRANSPORT_SECURITY)
    .flat();
  if (directives.length === 0) {
    return { secure, others, fields: Object.freeze(others), segments: [] };
  }
  const text = policyText(directives, { secure, inline: NO_INLINE_SOURCES });
  const marked = { scripts: [NONCE_MARK], styles: [NONCE_MARK] };
  return {
    secure,
    others,
    fields: Object.freeze([name, text, ...others]),
    segments: policyText(directives, { secure, inline: marked }).split(NONCE_MARK),
  };
}

function checkPolicyLength(text: string): void {
  if (text.length > MAX_POLICY_CHARACTERS) {
    throw new RangeError(
      `contentSecurityPolicy must be at most ${MAX_POLICY_CHARACTERS} characters, got ${text.length}`,
    );
  }
}

/** Checks the options, lets helmet write the values, and prepares both kinds of connection. */
export function planHeaders(options: SecurityHeadersOptions): HeaderPlan {
  const { permissionsPolicy, ...settings } = parseSecurityHeadersOptions(options);
  const recorded = recordHelmet(settings);
  const others = new Map(recorded.values);
  if (permissionsPolicy !== undefined) others.set("permissions-policy", permissionsPolicy);
  const { name, directives } = recorded.policy ?? { name: "", directives: [] };
  const closed = closeDynamic(directives);
  const variants = {
    secure: prepareVariant({ name, directives: closed, others, secure: true }),
    plain: prepareVariant({ name, directives: closed, others, secure: false }),
  };
  checkPolicyLength(variants.secure.segments.join(quotedNonce(createNonce())));

  const hasNonce = usesNonce(closed);
  const isDynamic = hasFunctions(directives);
  const variantOf = (secure: boolean): Variant => (secure ? variants.secure : variants.plain);
  const withNonce = (variant: Variant, nonce: string): readonly string[] =>
    hasNonce
      ? [name, variant.segments.join(quotedNonce(nonce)), ...variant.others]
      : variant.fields;

  return {
    isDynamic,
    removesPoweredBy: recorded.removesPoweredBy,
    headers: {
      usesNonce: hasNonce,
      fields: ({ secure }) => variantOf(secure).fields,
      fieldsWithNonce: ({ secure, nonce }) => withNonce(variantOf(secure), checkNonce(nonce)),
      fieldsWithHashes({ secure, hashes }) {
        const variant = variantOf(secure);
        if (!hasNonce) return variant.fields;
        const inline = { scripts: quoteAll(hashes.scripts), styles: quoteAll(hashes.styles) };
        const text = policyText(closed, { secure, inline });
        const failure = tooLong(text);
        if (failure !== undefined) throw failure;
        return [name, text, ...variant.others];
      },
    },
    fieldsFor(exchange, { secure, nonce }) {
      const variant = variantOf(secure);
      if (!isDynamic) return { fields: withNonce(variant, nonce), failure: undefined };
      const { directives: resolved, failure } = resolveDirectives(directives, exchange);
      const sources = [quotedNonce(nonce)];
      const text = policyText(resolved, { secure, inline: { scripts: sources, styles: sources } });
      const excess = tooLong(text);
      if (excess !== undefined) return { fields: withNonce(variant, nonce), failure: excess };
      return { fields: [name, text, ...variant.others], failure };
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
