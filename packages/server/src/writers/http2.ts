import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { pipeline } from "node:stream";
import type { Answer, Fields } from "../answer.ts";
import { bodyStream, closeBody } from "../body.ts";

/** Writes an answer to an HTTP/2 stream, and tells the client to stop sending content that nobody reads. */
export function writeHttp2(stream: ServerHttp2Stream, answer: Answer): void {
  const { status, fields, body } = answer;
  if (stream.destroyed || stream.closed) {
    closeBody(body);
    return;
  }
  if (!stream.endAfterHeaders) {
    // RFC 9113 8.1: after a complete response, RST_STREAM(NO_ERROR) stops the rest of the request.
    stream.once("finish", () => {
      stream.close(constants.NGHTTP2_NO_ERROR);
    });
  }
  stream.respond(toHeaders(status, fields), { endStream: body === undefined });
  if (body === undefined) return;
  if (body instanceof Uint8Array) stream.end(body);
  else pipeline(bodyStream(body), stream, () => undefined);
}

function toHeaders(status: number, fields: Fields): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ":status": status };
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? "";
    const value = fields[index + 1] ?? "";
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : [earlier, value].flat().map(String);
  }
  return headers;
}
