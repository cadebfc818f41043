import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";

/**
 * Whether the client speaks TLS, as far as this process can vouch for it: to us, or, where Express
 * is told to trust the proxy in front of it, to that proxy. A bare X-Forwarded-Proto is anyone's claim.
 */
export function isSecure(request: IncomingMessage | Http2ServerRequest): boolean {
  if ("secure" in request && typeof request.secure === "boolean") return request.secure;
  if ("scheme" in request)
    return request.scheme === "https" && request.stream.session?.encrypted === true;
  return "encrypted" in request.socket && request.socket.encrypted === true;
}
