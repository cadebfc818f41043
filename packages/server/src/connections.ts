import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

interface Activity {
  /** Requests being answered. */
  inFlight: number;
  /** False until the first request arrived. */
  hasServed: boolean;
}

/** A client that connected and asked nothing yet may be about to: it gets this long while the server closes. */
const FIRST_REQUEST_GRACE_MS = 1000;

/**
 * Knows which connections are open and which of them are busy, so that the server can close without cutting an
 * answer short. node:http's own closeIdleConnections() also resets clients that have just connected (Node 26.4).
 */
export class Connections {
  readonly #sockets = new Set<Socket>();
  readonly #activities = new Map<Socket, Activity>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #isClosing = false;
  #onEmpty: (() => void) | undefined;

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Tracks an accepted TCP connection. */
  addSocket(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#onEmpty?.();
    });
  }

  /** Tracks a connection that speaks HTTP/1.1; for TLS this is the socket inside. */
  addHttp1(socket: Socket): void {
    this.#activities.set(socket, { inFlight: 0, hasServed: false });
    socket.once("close", () => this.#activities.delete(socket));
  }

  addSession(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.once("close", () => this.#sessions.delete(session));
    if (this.#isClosing) session.close();
  }

  /** Marks an HTTP/1.1 connection busy until the returned function is called. */
  begin(socket: Socket): () => void {
    const activity = this.#activities.get(socket);
    if (activity === undefined) return () => undefined;
    activity.inFlight += 1;
    activity.hasServed = true;
    return () => {
      activity.inFlight -= 1;
      if (this.#isClosing && activity.inFlight === 0) socket.destroySoon();
    };
  }

  /** Ends idle connections now, busy ones after their answers, and whatever is left after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    for (const session of this.#sessions) session.close();
    this.#endIdle((activity) => activity.hasServed);
    if (this.#sockets.size === 0) return;
    const idle = setTimeout(
      () => {
        this.#endIdle(() => true);
        for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
      },
      Math.min(FIRST_REQUEST_GRACE_MS, graceMs),
    );
    const force = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    clearTimeout(idle);
    clearTimeout(force);
  }

  #endIdle(isAffected: (activity: Activity) => boolean): void {
    for (const [socket, activity] of this.#activities) {
      if (activity.inFlight === 0 && isAffected(activity)) socket.destroySoon();
    }
  }
}
