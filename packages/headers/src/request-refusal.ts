import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** A request that was refused, or with `reportOnly` would have been. */
export interface RefusedRequest {
  /** `"cross-site"`: Sec-Fetch-Site says so. `"cross-origin"`: Origin names another host. */
  readonly reason: "cross-site" | "cross-origin";
  readonly method: string;
  /** Path of the request, without its query. */
  readonly path: string;
  /** What the browser says of the request; undefined where it says nothing. */
  readonly origin: string | undefined;
  readonly site: string | undefined;
  readonly mode: string | undefined;
  readonly destination: string | undefined;
}

/** Returns a header's value, several of a name joined as Node joins them. */
export function headerOf(request: Request, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

/** Returns the path the client asked for, also below an Express router, without its query. */
export function pathOf(request: Request): string {
  const url =
    "originalUrl" in request && typeof request.originalUrl === "string"
      ? request.originalUrl
      : (request.url ?? "");
  return url.split(/[?#]/, 1)[0] ?? "";
}

/** Returns what a listener is told of a refused request. */
export function describeRefusal(
  request: Request,
  reason: RefusedRequest["reason"],
): RefusedRequest {
  return {
    reason,
    method: request.method ?? "",
    path: pathOf(request),
    origin: headerOf(request, "origin"),
    site: headerOf(request, "sec-fetch-site"),
    mode: headerOf(request, "sec-fetch-mode"),
    destination: headerOf(request, "sec-fetch-dest"),
  };
}

/** Answers with 403; nothing of the request is repeated. */
export function refuse(request: Request, response: Response): void {
  response.statusCode = 403;
  response.setHeader("cache-control", "no-store");
  sendText(request, response, "Forbidden: this request came from another site\n");
}

/** Ends the response with a text; one to HEAD only says how long it would be (RFC 9110 section 9.3.2). */
export function sendText(request: Request, response: Response, text: string): void {
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.setHeader("content-length", Buffer.byteLength(text));
  if (request.method === "HEAD") response.end();
  else if ("stream" in response) response.end(text);
  else response.end(text);
}

/** Adds request fields that the response depends on to Vary, each once. */
export function addVary(response: Response, names: readonly string[]): void {
  const present = String(response.getHeader("vary") ?? "");
  const known = present.toLowerCase().split(/\s*,\s*/);
  if (known.includes("*")) return;
  const added = names.filter((name) => !known.includes(name.toLowerCase()));
  if (added.length === 0) return;
  response.setHeader("vary", [...(present === "" ? [] : [present]), ...added].join(", "));
}
