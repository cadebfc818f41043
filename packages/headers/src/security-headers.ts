import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { planHeaders } from "./compiled-headers.ts";
import type { ContentSecurityPolicyDirectives } from "./content-security-policy.ts";
import { HeadersError } from "./errors.ts";
import { assignNonce } from "./nonce.ts";
import { diffPolicies, type DirectiveChange } from "./policy-diff.ts";
import { mergePolicy } from "./policy-merge.ts";
import { isSecure } from "./secure-connection.ts";
import type { SecurityHeadersOptions } from "./security-headers-options.ts";

/** A middleware for Express 4 and 5, Connect, node:http, and the compatibility API of node:http2. */
export type SecurityHeadersMiddleware = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** The middleware with its policy, which routes can add to. */
export interface SecurityHeaders extends SecurityHeadersMiddleware {
  /** The enforced policy, complete, as plain directives; empty when it is switched off. */
  readonly policy: ContentSecurityPolicyDirectives;
  /** What this middleware allows differently from the one it was extended from. */
  readonly changes: readonly DirectiveChange[];
  /**
   * Returns a middleware for some routes, to be mounted behind this one or alone: the same headers, and
   * the policy with the sources of `change` added, as `mergePolicy()` does it.
   *
   * @throws {TypeError | RangeError} If the change is malformed or contradicts another option, or
   * there is no policy.
   */
  extend(change: ContentSecurityPolicyDirectives): SecurityHeaders;
}

/**
 * Returns a middleware that sets the security headers of every response and gives it a nonce, which
 * `cspNonce(response)` and, under Express, `res.locals.cspNonce` return. Mount it first, so that
 * error pages carry the headers too.
 *
 * It never throws while serving. It passes a HeadersError to `next` when a directive function throws
 * (ERR_HEADERS_DIRECTIVE_THREW), returns what cannot be sent (ERR_HEADERS_DIRECTIVE_VALUE) or makes
 * the policy too long (ERR_HEADERS_POLICY_TOO_LONG), with all headers set and the directive closed;
 * and when the response has begun already (ERR_HEADERS_ALREADY_SENT).
 *
 * @throws {TypeError | RangeError} If an option is unknown, malformed or contradicts another.
 */
export function securityHeaders(options: SecurityHeadersOptions = {}): SecurityHeaders {
  return createMiddleware(options, []);
}

function createMiddleware(
  options: SecurityHeadersOptions,
  changes: readonly DirectiveChange[],
): SecurityHeaders {
  const plan = planHeaders(options);
  const { policy } = plan;
  const middleware: SecurityHeadersMiddleware = function securityHeadersMiddleware(
    request,
    response,
    next,
  ) {
    const nonce = assignNonce(response);
    const secure = isSecure(request);
    const { fields, failure } = plan.fieldsFor({ request, response }, { secure, nonce });
    if (response.headersSent) {
      next(
        new HeadersError(
          "ERR_HEADERS_ALREADY_SENT",
          "Cannot set security headers: the response has begun; mount securityHeaders() before whatever answers",
        ),
      );
      return;
    }
    for (let index = 0; index < fields.length; index += 2) {
      response.setHeader(fields[index]!, fields[index + 1]!);
    }
    for (const name of plan.removed) response.removeHeader(name);
    if (failure === undefined) next();
    else next(failure);
  };
  return Object.assign(middleware, {
    policy,
    changes,
    extend(change: ContentSecurityPolicyDirectives) {
      if (Object.keys(policy).length === 0) {
        throw new TypeError("Cannot extend a policy that is switched off");
      }
      const directives = mergePolicy(policy, change);
      const given = options.contentSecurityPolicy;
      const kept = typeof given === "object" ? given : {};
      return createMiddleware(
        { ...options, contentSecurityPolicy: { ...kept, useDefaults: false, directives } },
        diffPolicies(policy, directives),
      );
    },
  });
}
