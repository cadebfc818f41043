import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import type { Answer } from "../answer.ts";
import { bodyStream, closeBody } from "../body.ts";

const SLICE_BYTES = 65_536;

/** Writes an answer to a node:http response; with `isLast` the connection ends after it. */
export function writeHttp1(response: ServerResponse, answer: Answer, isLast: boolean): void {
  const { status, fields, body } = answer;
  if (response.destroyed) {
    closeBody(body);
    return;
  }
  // One flat writeHead: a single setHeader before it would cost as much as the whole response.
  response.writeHead(status, isLast ? [...fields, "connection", "close"] : [...fields]);
  if (body === undefined) response.end();
  else if (body instanceof Uint8Array) endInSlices(response, body);
  else pipeline(bodyStream(body), response, () => undefined);
}

/**
 * Sends bytes as the client takes them. Written at once, all of them would be encrypted at once and
 * kept: 1,000 slow readers of a file of 256 KB then cost 360 MB, and seconds of everybody's time.
 */
function endInSlices(response: ServerResponse, body: Uint8Array): void {
  let position = 0;
  const writeOn = (): void => {
    while (body.length - position > SLICE_BYTES) {
      const slice = body.subarray(position, (position += SLICE_BYTES));
      if (response.write(slice)) continue;
      response.once("drain", writeOn);
      return;
    }
    response.end(body.subarray(position));
  };
  writeOn();
}
