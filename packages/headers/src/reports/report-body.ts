import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";

/**
 * Reads the content of a request up to `maxBytes`; resolves with "too-large" at the first byte beyond,
 * with "aborted" when the client leaves. Never rejects.
 */
export function readBody(
  request: IncomingMessage | Http2ServerRequest,
  maxBytes: number,
): Promise<Buffer | "too-large" | "aborted"> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes)
    return Promise.resolve("too-large");
  if (request.readableEnded) return Promise.resolve(Buffer.alloc(0));
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (outcome: Buffer | "too-large" | "aborted"): void => {
      request.off("data", onData).off("end", onEnd).off("close", onClose);
      resolve(outcome);
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > maxBytes) settle("too-large");
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      settle(Buffer.concat(chunks));
    };
    const onClose = (): void => {
      settle("aborted");
    };
    // An aborted request also emits "error", which nobody else may listen to.
    request.on("error", onClose).on("data", onData).on("end", onEnd).on("close", onClose);
  });
}
