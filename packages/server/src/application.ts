import type { IncomingMessage, ServerResponse } from "node:http";
import { nonceGuard, securityHeaders, type SecurityHeadersOptions } from "@hauberk/headers";
import type { Fields } from "./answer.ts";
import type { Application, ServerEvent } from "./config.ts";

/** A request on its way to the application. */
export interface ApplicationCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Fields to set on the response before. */
  readonly fields: Fields;
  /** Ends a response that has begun so that the client knows it is incomplete. */
  readonly abort: () => void;
}

/** Express sets it after every middleware in front of it, each mounted application again. */
const POWERED_BY = new Set(["x-powered-by"]);

/** RFC 9113 8.2.2: none of these goes over HTTP/2, and a response from a proxied upstream may bring them. */
const CONNECTION_SPECIFIC = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Returns a caller that no failure of the application gets past: what it throws or rejects with
 * becomes a 500, or the abrupt end of a response that has begun. The security headers are set before,
 * with a nonce in `res.locals.cspNonce`.
 */
export function createApplicationCaller(
  application: Application,
  headers: SecurityHeadersOptions,
  onEvent: (event: ServerEvent) => void,
): (call: ApplicationCall) => void {
  const secure = securityHeaders(headers);
  const guard = nonceGuard({
    onEvent({ kind, path, cacheControl }) {
      if (kind === "storing-refused") {
        const error = new Error(
          `The page ${path} contains a nonce, but asked for Cache-Control: ${cacheControl ?? ""}`,
        );
        onEvent({ kind: "page-was-cacheable", error });
      }
    },
  });
  const removesPoweredBy = headers.xPoweredBy !== true;
  return ({ request, response, fields, abort }) => {
    const fail = (error: unknown): void => {
      onEvent({ kind: "application-failed", error });
      if (response.writableEnded) return;
      if (response.headersSent) abort();
      else answerFailure(response);
    };
    callSafely(() => {
      // Express keeps locals that are there; securityHeaders puts the nonce into them.
      Object.assign(response, { locals: { __proto__: null } });
      if (removesPoweredBy) refuseFields(response, POWERED_BY);
      if (request.httpVersionMajor === 2) refuseFields(response, CONNECTION_SPECIFIC);
      for (let index = 0; index < fields.length; index += 2) {
        response.setHeader(fields[index] ?? "", fields[index + 1] ?? "");
      }
      secure(request, response, (error) => {
        if (error !== undefined) fail(error);
        else
          guard(request, response, () => {
            callSafely(() => application(request, response), fail);
          });
      });
    }, fail);
  };
}

/** Calls a function whose failure, now or later, goes to `fail`. */
function callSafely(call: () => unknown, fail: (error: unknown) => void): void {
  try {
    Promise.resolve(call()).catch(fail);
  } catch (error) {
    fail(error);
  }
}

function refuseFields(response: ServerResponse, names: ReadonlySet<string>): void {
  const setHeader = response.setHeader.bind(response);
  response.setHeader = (name, value) =>
    names.has(name.toLowerCase()) ? response : setHeader(name, value);
}

function answerFailure(response: ServerResponse): void {
  const content = "500 Internal Server Error\n";
  response.statusCode = 500;
  for (const name of ["content-encoding", "content-range", "etag", "last-modified"]) {
    response.removeHeader(name);
  }
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.setHeader("cache-control", "no-store");
  response.setHeader("content-length", content.length);
  response.end(content);
}
