import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** How slowly an HTTP/1.1 client may send its content, and read what it is sent. */
export interface DataRate {
  /** Bytes per second, as the average over what is sent or read. */
  readonly minBytesPerSecond: number;
  /** Milliseconds that the average is not looked at. */
  readonly graceMs: number;
}

const MAX_LOOK_MS = 1000;

/** One request on its way, and how far it was when its client was last waited for. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  receiving: { since: number; bytes: number };
  /** `pending` was still to be read by the client then. */
  sending: { since: number; bytes: number; pending: number };
}

/**
 * Finds HTTP/1.1 clients that keep a request open by sending its content, or reading its response, a
 * byte now and then: each such byte starts Node's own time-outs anew. A client is not blamed while
 * the application does not read, or has nothing to send.
 */
export class DataRateWatch {
  readonly #rate: DataRate;
  readonly #exchanges = new Set<Exchange>();
  readonly #onSlow: (socket: Socket, what: "content" | "response") => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(rate: DataRate, onSlow: (socket: Socket, what: "content" | "response") => void) {
    this.#rate = rate;
    this.#onSlow = onSlow;
  }

  /** Watches an exchange until its content is read and its response is sent. */
  watch(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const since = performance.now();
    this.#exchanges.add({
      request,
      response,
      socket,
      receiving: { since, bytes: socket.bytesRead },
      sending: { since, bytes: sentBytes(socket), pending: 0 },
    });
    this.#timer ??= setInterval(
      () => {
        this.#look();
      },
      Math.min(MAX_LOOK_MS, this.#rate.graceMs),
    ).unref();
  }

  #look(): void {
    const now = performance.now();
    for (const exchange of this.#exchanges) {
      const { request, response, socket } = exchange;
      if (socket.destroyed || (response.closed && request.complete)) {
        this.#exchanges.delete(exchange);
      } else if (this.#receivesTooSlowly(exchange, now)) {
        this.#exchanges.delete(exchange);
        this.#onSlow(socket, "content");
      } else if (this.#sendsTooSlowly(exchange, now)) {
        this.#exchanges.delete(exchange);
        this.#onSlow(socket, "response");
      }
    }
    if (this.#exchanges.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #receivesTooSlowly(exchange: Exchange, now: number): boolean {
    const { request, socket, receiving } = exchange;
    if (request.complete) return false;
    if (request.readableLength > 0) {
      exchange.receiving = { since: now, bytes: socket.bytesRead };
      return false;
    }
    return this.#isTooSlow(now - receiving.since, socket.bytesRead - receiving.bytes);
  }

  /**
   * What the client has read is known a write at a time: a write of `pending` bytes has as long as
   * they take at the lowest rate.
   */
  #sendsTooSlowly(exchange: Exchange, now: number): boolean {
    const { response, socket, sending } = exchange;
    const pending = response.writableLength;
    const bytes = sentBytes(socket);
    if (pending === 0 || bytes > sending.bytes || sending.pending === 0) {
      exchange.sending = { since: now, bytes, pending };
      return false;
    }
    return this.#isTooSlow(now - sending.since, sending.pending);
  }

  #isTooSlow(elapsedMs: number, bytes: number): boolean {
    const { minBytesPerSecond, graceMs } = this.#rate;
    return elapsedMs > graceMs + (bytes / minBytesPerSecond) * 1000;
  }
}

/** Bytes whose writing is complete. */
function sentBytes(socket: Socket): number {
  return socket.bytesWritten - socket.writableLength;
}
