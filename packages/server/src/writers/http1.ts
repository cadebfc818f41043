import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import type { Answer } from "../answer.ts";
import { bodyStream, closeBody } from "../body.ts";

/** Writes an answer to a node:http response; with `isLast` the connection ends after it. */
export function writeHttp1(response: ServerResponse, answer: Answer, isLast: boolean): void {
  const { status, fields, body } = answer;
  if (response.destroyed) {
    closeBody(body);
    return;
  }
  // One flat writeHead: a single setHeader before it would cost as much as the whole response.
  response.writeHead(status, isLast ? [...fields, "connection", "close"] : [...fields]);
  if (body === undefined || body instanceof Uint8Array) response.end(body);
  else pipeline(bodyStream(body), response, () => undefined);
}
