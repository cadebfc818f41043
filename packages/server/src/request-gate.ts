import type { IncomingHttpHeaders as Http2Headers } from "node:http2";
import type { IncomingMessage } from "node:http";
import { parseAuthority } from "./authority.ts";
import type { RequestHead } from "./request-head.ts";

/** A head to act on, or the status that refuses the request. */
export type Admission =
  | { readonly kind: "admitted"; readonly head: RequestHead }
  | { readonly kind: "refused"; readonly status: 400 | 417 | 431 | 501 | 505 };

type Refusal = Extract<Admission, { kind: "refused" }>;

/** More field lines than any browser sends; Node 20 hides those past the thousandth (CVE-2026-58044). */
const MAX_FIELD_LINES = 200;

const LARGE_CONTENT_BYTES = 65_536;
const ABSOLUTE_FORM = /^(https?):\/\/([^/?#]*)(.*)$/i;

/**
 * Returns the head of an HTTP/1 request, or why it is refused. node:http lets all of these through:
 * two Host fields, a Host that is no host, HTTP/0.9 and HTTP/2.0 on an HTTP/1 line, absolute-form for another
 * host, Transfer-Encoding in HTTP/1.0, unknown transfer codings.
 *
 * @see RFC 9112 section 2.3, 3.2, 6.1
 */
export function admitHttp1(
  request: IncomingMessage,
  scheme: "https" | "http",
  address: string,
): Admission {
  const { httpVersion, rawHeaders, headers } = request;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    return refuse(httpVersion === "0.9" ? 400 : 505);
  }
  if (rawHeaders.length > MAX_FIELD_LINES * 2) return refuse(431);
  const hosts = countHosts(rawHeaders);
  if (hosts > 1 || (hosts === 0 && httpVersion === "1.1")) return refuse(400);
  const transferEncoding = headers["transfer-encoding"];
  if (transferEncoding !== undefined) {
    if (httpVersion === "1.0") return refuse(400);
    if (transferEncoding.toLowerCase() !== "chunked") return refuse(501);
  }
  const host = headers.host === undefined ? "" : parseAuthority(headers.host)?.authority;
  const origin = originForm(request.url ?? "", host, scheme);
  if (host === undefined || origin === undefined) return refuse(400);
  if (origin === "*" && request.method !== "OPTIONS") return refuse(400);
  return admit({
    method: request.method ?? "",
    scheme,
    authority: host,
    target: origin,
    address,
    protocol: `HTTP/${httpVersion}`,
    hasLargeContent:
      transferEncoding !== undefined ||
      Number(headers["content-length"] ?? 0) > LARGE_CONTENT_BYTES,
    field: (name) => joined(headers[name]),
  });
}

/**
 * Returns the head of an HTTP/2 request, or why it is refused:
 * no usable `:authority`, a Host unlike it, a scheme other than https, a path that is not absolute, CONNECT.
 *
 * @see RFC 9113 section 8.3.1
 */
export function admitHttp2(headers: Http2Headers, address: string, endStream: boolean): Admission {
  const method = headers[":method"] ?? "";
  if (method === "CONNECT") return refuse(501);
  const named = headers[":authority"] ?? headers.host;
  const authority = named === undefined ? undefined : parseAuthority(named)?.authority;
  if (authority === undefined) return refuse(400);
  if (headers.host !== undefined && headers.host.toLowerCase() !== authority) return refuse(400);
  if (headers[":scheme"] !== "https") return refuse(400);
  const target = headers[":path"] ?? "";
  if (!target.startsWith("/") && !(target === "*" && method === "OPTIONS")) return refuse(400);
  const contentLength = headers["content-length"];
  return admit({
    method,
    scheme: "https",
    authority,
    target,
    address,
    protocol: "HTTP/2.0",
    hasLargeContent:
      !endStream && (contentLength === undefined || Number(contentLength) > LARGE_CONTENT_BYTES),
    field: (name) => joined(headers[name]),
  });
}

function admit(head: Omit<RequestHead, "path" | "query">): Admission {
  const mark = head.target.indexOf("?");
  const path = mark === -1 ? head.target : head.target.slice(0, mark);
  const query = mark === -1 ? "" : head.target.slice(mark);
  return { kind: "admitted", head: { ...head, path, query } };
}

function refuse(status: Refusal["status"]): Refusal {
  return { kind: "refused", status };
}

function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === "host") hosts += 1;
  }
  return hosts;
}

/** RFC 9112 3.2.2: a server takes the host of an absolute-form target; here it must be the Host's as well. */
function originForm(
  target: string,
  host: string | undefined,
  scheme: "https" | "http",
): string | undefined {
  if (target.startsWith("/") || target === "*") return target;
  const match = ABSOLUTE_FORM.exec(target);
  if (match === null) return undefined;
  const [, targetScheme = "", authority = "", rest = ""] = match;
  if (targetScheme.toLowerCase() !== scheme) return undefined;
  if (host === undefined || host === "" || authority.toLowerCase() !== host) return undefined;
  return rest.startsWith("/") ? rest : `/${rest}`;
}

function joined(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" || value === undefined ? value : value.join(", ");
}
