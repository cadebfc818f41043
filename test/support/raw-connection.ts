import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ServerEndpoint } from "./forked-server.ts";

/** A response as it came over an HTTP/1.1 connection. */
export interface RawResponse {
  readonly status: number;
  /** By lower-case name; the last of repeated lines. */
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** What one head brought about. */
export interface RawOutcome {
  /** All bytes that came. */
  readonly bytes: Buffer;
  readonly end: "answered" | "closed" | "silent";
}

/** Sends heads over one TLS connection for as long as the server keeps it open, then over a new one. */
export interface RawConnection {
  /** Sends a head; resolves after one whole response, the end of the connection, or `silenceMs`. */
  send(head: Buffer, options: { silenceMs: number; method: string }): Promise<RawOutcome>;
  close(): void;
}

const HEAD_END = "\r\n\r\n";

/** Returns a connection to the TLS port of `server` that is opened when first needed. */
export function rawConnection({ port, ca }: ServerEndpoint): RawConnection {
  let socket: Socket | undefined;
  let session: Buffer | undefined;
  let listener: ((chunk: Buffer | undefined) => void) | undefined;

  function open(): Socket {
    const opened = connectTls({ host: "127.0.0.1", port, ca, session, servername: "localhost" });
    opened.on("session", (ticket) => (session = ticket));
    opened.on("error", () => undefined);
    opened.on("data", (chunk) => listener?.(chunk));
    opened.on("close", () => {
      if (socket === opened) socket = undefined;
      listener?.(undefined);
    });
    return opened;
  }

  return {
    send(head, { silenceMs, method }) {
      socket ??= open();
      const current = socket;
      const chunks: Buffer[] = [];
      return new Promise((resolve) => {
        const settle = (end: RawOutcome["end"]): void => {
          clearTimeout(timer);
          listener = undefined;
          if (end === "silent") current.destroy();
          if (end !== "answered" && socket === current) socket = undefined;
          resolve({ bytes: Buffer.concat(chunks), end });
        };
        const timer = setTimeout(settle, silenceMs, "silent");
        listener = (chunk) => {
          if (chunk !== undefined) chunks.push(chunk);
          if (chunk === undefined) settle("closed");
          else if (isWhole(Buffer.concat(chunks), method)) settle("answered");
        };
        current.write(head);
      });
    },
    close() {
      socket?.destroy();
    },
  };
}

/** Sends a head over a plain connection of its own, and nothing after it. */
export function sendPlain({ httpPort }: ServerEndpoint, head: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connectTcp({ host: "127.0.0.1", port: httpPort });
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("close", () => {
      resolve(Buffer.concat(chunks));
    });
    socket.end(head);
  });
}

/** Returns the first response in `bytes` with all that follows its head as its body. */
export function parseResponse(bytes: Buffer): RawResponse | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end === -1) return undefined;
  const [statusLine = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
  return { status, fields: new Map(fields), body: bytes.subarray(end + HEAD_END.length) };
}

/** Whether a response is complete and the connection goes on: one that ends with it is whole when closed. */
function isWhole(bytes: Buffer, method: string): boolean {
  const response = parseResponse(bytes);
  if (response === undefined || response.fields.get("connection") === "close") return false;
  const length = method === "HEAD" ? 0 : Number(response.fields.get("content-length") ?? 0);
  return response.body.length >= length;
}
