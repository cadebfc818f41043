import { Readable } from "node:stream";
import { type Body, type FileSlice, fileSlices } from "./answer.ts";

const CHUNK_BYTES = 131_072;

/**
 * Returns a body as a stream that reads files on demand and closes them at its end, however it ends.
 * A file that is shorter than promised ends the stream with an error, so that no client takes the rest for complete.
 */
export function bodyStream(body: Exclude<Body, undefined | Buffer>): Readable {
  const stream = Readable.from(chunks(body), { objectMode: false, highWaterMark: CHUNK_BYTES });
  stream.once("close", () => {
    closeBody(body);
  });
  return stream;
}

/** Closes the files of a body, also of one that is never sent. */
export function closeBody(body: Body): void {
  const handles = new Set(fileSlices(body).map(({ handle }) => handle));
  // A read-only handle has nothing to lose when closing fails.
  for (const handle of handles) handle.close().catch(() => undefined);
}

async function* chunks(body: Exclude<Body, undefined>): AsyncGenerator<Buffer> {
  if (body instanceof Uint8Array) yield body;
  else if ("handle" in body) yield* fileChunks(body);
  else for (const part of body) yield* chunks(part);
}

async function* fileChunks({ handle, start, end }: FileSlice): AsyncGenerator<Buffer> {
  for (let position = start; position < end;) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, end - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) throw new Error("Cannot send file: it became shorter while being sent");
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}
