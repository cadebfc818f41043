import { connect, type Socket } from "node:net";

/** What a client sends first. @see RFC 9113 section 3.4 */
export const PREFACE: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Frame types. @see RFC 9113 section 6 */
export const FRAME = { data: 0, headers: 1, settings: 4, ping: 6, goaway: 7 } as const;

export const END_STREAM = 0x1;
export const END_HEADERS = 0x4;
export const ACK = 0x1;

/** Header blocks of requests for `/`: method, scheme and path from HPACK's static table, then the authority. */
export const GET_BLOCK: Buffer = Buffer.concat([Buffer.of(0x82, 0x86, 0x84), authority()]);
export const POST_BLOCK: Buffer = Buffer.concat([Buffer.of(0x83, 0x86, 0x84), authority()]);

function authority(): Buffer {
  return Buffer.concat([Buffer.of(0x41, "localhost".length), Buffer.from("localhost")]);
}

/** Encodes one frame. @see RFC 9113 section 4.1 */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** Encodes one SETTINGS entry; 4 is INITIAL_WINDOW_SIZE. @see RFC 9113 section 6.5.1 */
export function setting(identifier: number, value: number): Buffer {
  const entry = Buffer.alloc(6);
  entry.writeUInt16BE(identifier, 0);
  entry.writeUInt32BE(value, 2);
  return entry;
}

/** A client that sends exactly what the test says and keeps what it hears. */
export interface RawHttp2Client {
  readonly socket: Socket;
  /** Frames received so far, as "type:flags". */
  readonly received: readonly string[];
  /** Resolves when the server has closed or reset the connection. */
  readonly closed: Promise<void>;
}

/** Connects without TLS and sends the preface, SETTINGS with `settings`, then `frames`. */
export function rawHttp2(
  port: number,
  frames: readonly Buffer[],
  options: { settings?: Buffer; keepOpen?: boolean; onFrame?: (frame: string) => void } = {},
): RawHttp2Client {
  const received: string[] = [];
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: options.keepOpen ?? false });
  let unread = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    unread = Buffer.concat([unread, chunk]);
    while (unread.length >= 9 && unread.length >= 9 + unread.readUIntBE(0, 3)) {
      const name = `${String(unread[3])}:${String(unread[4])}`;
      unread = unread.subarray(9 + unread.readUIntBE(0, 3));
      received.push(name);
      options.onFrame?.(name);
    }
  });
  socket.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      resolve();
    });
  });
  socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0, options.settings), ...frames]));
  return { socket, received, closed };
}
