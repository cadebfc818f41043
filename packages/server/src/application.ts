import type { IncomingMessage, ServerResponse } from "node:http";
import { securityHeaders, type SecurityHeadersOptions } from "@hauberk/headers";
import type { Fields } from "./answer.ts";
import type { Application, ServerEvent } from "./config.ts";

/** Gives a request to the application, `fields` and the security headers set on the response before. */
export type CallApplication = (
  request: IncomingMessage,
  response: ServerResponse,
  fields: Fields,
) => void;

/**
 * Returns a caller that no failure of the application gets past: what it throws or rejects with
 * becomes a 500, or the end of a response that has begun.
 */
export function createApplicationCaller(
  application: Application,
  headers: SecurityHeadersOptions,
  onEvent: (event: ServerEvent) => void,
): CallApplication {
  const secure = securityHeaders(headers);
  return (request, response, fields) => {
    const fail = (error: unknown): void => {
      onEvent({ kind: "application-failed", error });
      failResponse(response);
    };
    try {
      for (let index = 0; index < fields.length; index += 2) {
        response.setHeader(fields[index] ?? "", fields[index + 1] ?? "");
      }
      secure(request, response, (error) => {
        if (error !== undefined) throw error;
        const result = application(request, response);
        if (result instanceof Promise) result.catch(fail);
      });
    } catch (error) {
      fail(error);
    }
  };
}

function failResponse(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
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
