import { IncomingMessage, OutgoingMessage, ServerResponse } from "node:http";
import {
  constants,
  Http2ServerRequest,
  Http2ServerResponse,
  type ServerHttp2Stream,
} from "node:http2";

const requestDescriptors = ownedDescriptors(Http2ServerRequest.prototype, [
  IncomingMessage.prototype,
]);
const responseDescriptors = ownedDescriptors(Http2ServerResponse.prototype, [
  ServerResponse.prototype,
  OutgoingMessage.prototype,
]);

/**
 * Makes an HTTP/2 request and response safe for frameworks that replace their prototypes.
 *
 * Express puts prototypes derived from http.IncomingMessage and http.ServerResponse on both, whose methods then
 * act on the wrong object and end the process with an uncaught TypeError. Every member that those two classes
 * define is therefore made an own property of the objects, with the meaning it has in HTTP/2: own properties win
 * over any prototype, also over those of mounted sub-applications. Prototypes made once per application cost
 * less per request, but a router inside a router escapes them.
 *
 * Two fields are filled in as a gateway to HTTP/1.1 would: `host` from `:authority`, and `transfer-encoding` when
 * content of unknown length follows, without which body parsers take the request for empty.
 */
export function pinHttp2Members(request: Http2ServerRequest, response: Http2ServerResponse): void {
  Object.defineProperties(request, requestDescriptors);
  Object.defineProperties(response, responseDescriptors);
  const { headers, stream } = request;
  breakWhenDestroyed(stream);
  headers.host ??= request.authority;
  if (!stream.endAfterHeaders && headers["content-length"] === undefined) {
    headers["transfer-encoding"] = "chunked";
  }
}

/**
 * Lets `response.destroy()` and `request.socket.destroy()` mean in HTTP/2 what they mean in HTTP/1.1. The stream's own
 * `destroy()` sends RST_STREAM(NO_ERROR), and a client takes what came before it for a complete response.
 */
function breakWhenDestroyed(stream: ServerHttp2Stream): void {
  const destroy = stream.destroy.bind(stream);
  stream.destroy = (error) => {
    if (!stream.writableEnded && !stream.closed) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return destroy(error);
  };
}

/** Returns descriptors, as found along the chain of `prototype`, of all names that it or `shadowing` defines. */
function ownedDescriptors(
  prototype: object,
  shadowing: readonly object[],
): Record<string | symbol, PropertyDescriptor> {
  const names = new Set([prototype, ...shadowing].flatMap((object) => Reflect.ownKeys(object)));
  const descriptors: Record<string | symbol, PropertyDescriptor> = {};
  for (const name of names) {
    // Frameworks assign `res.req` themselves; an own getter would make that throw.
    if (name === "constructor" || name === "req") continue;
    const found = descriptorAlongChain(prototype, name);
    if (found === undefined) continue;
    descriptors[name] = { ...found, configurable: true };
  }
  return descriptors;
}

function descriptorAlongChain(
  object: object,
  name: string | symbol,
): PropertyDescriptor | undefined {
  const own = Object.getOwnPropertyDescriptor(object, name);
  const parent: unknown = Object.getPrototypeOf(object);
  if (own !== undefined || parent === Object.prototype || !(parent instanceof Object)) return own;
  return descriptorAlongChain(parent, name);
}
