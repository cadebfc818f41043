import { createReadStream } from "node:fs";

/** As much as `inspectBundle` reads. */
const MAX_BYTES = 4_194_304;

/**
 * Returns the bytes of a file, of standard input for "-".
 *
 * @throws {Error} It cannot be read, or has more than 4 MiB.
 */
export async function readInput(path: string): Promise<Buffer> {
  try {
    // One byte more than allowed is enough to see that it is too long.
    return await readBounded(
      path === "-" ? process.stdin : createReadStream(path, { end: MAX_BYTES }),
    );
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`cannot read ${JSON.stringify(path)}: ${reason}`, { cause });
  }
}

/** Returns the bytes of a file, or undefined when it cannot be read. */
export async function readIfPossible(path: string): Promise<Buffer | undefined> {
  return readInput(path).catch(() => undefined);
}

async function readBounded(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += part.length;
    if (bytes > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}
