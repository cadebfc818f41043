import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { planHeaders } from "./compiled-headers.ts";
import { HeadersError } from "./errors.ts";
import { assignNonce } from "./nonce.ts";
import type { SecurityHeadersOptions } from "./security-headers-options.ts";

/** A middleware for Express 4 and 5, Connect, node:http, and the compatibility API of node:http2. */
export type SecurityHeadersMiddleware = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Whether the client speaks TLS, as far as this process can vouch for it: to us, or, where Express
 * is told to trust the proxy in front of it, to that proxy. A bare X-Forwarded-Proto is anyone's claim.
 */
function isSecure(request: IncomingMessage | Http2ServerRequest): boolean {
  if ("secure" in request && typeof request.secure === "boolean") return request.secure;
  if ("scheme" in request)
    return request.scheme === "https" && request.stream.session?.encrypted === true;
  return "encrypted" in request.socket && request.socket.encrypted === true;
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
export function securityHeaders(options: SecurityHeadersOptions = {}): SecurityHeadersMiddleware {
  const plan = planHeaders(options);
  return function securityHeadersMiddleware(request, response, next) {
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
}
