import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Answer } from "./answer.ts";

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Returns the status for an error of node:http's parser or clock. */
export function clientErrorStatus(error: NodeJS.ErrnoException): number {
  return STATUS_OF_CODE[error.code ?? ""] ?? 400;
}

/**
 * Writes an answer to a connection whose request never became one, and ends the connection.
 * node:http would write these itself, without a single security header.
 */
export function writeRawAnswer(socket: Socket, answer: Answer): void {
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ""}`];
  const fields = [...answer.fields, "date", new Date().toUTCString(), "connection", "close"];
  for (let index = 0; index < fields.length; index += 2) {
    lines.push(`${fields[index]}: ${fields[index + 1]}`);
  }
  socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  if (answer.body instanceof Uint8Array) socket.write(answer.body);
  socket.destroySoon();
}
