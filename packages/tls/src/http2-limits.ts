import type {
  Http2SecureServer,
  Http2Server,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import type { Http2Limits, Http2LimitSettings } from "./http2-options.ts";
import { parseHttp2Limits } from "./http2-options.ts";

interface TrackedSession {
  readonly session: ServerHttp2Session;
  readonly socket: Socket;
  readonly openStreams: Set<ServerHttp2Stream>;
  /** When the last open request ended. */
  idleSince: number;
  /** Start of the stretch that has to move `MIN_PROGRESS_BYTES`, and the bytes moved before it. */
  stretchSince: number;
  stretchBytes: number;
  /** When the session was told to end. */
  endedAt: number | undefined;
}

const MIN_PROGRESS_BYTES = 1_024;
const MAX_LINGER_MS = 2_000;
const LOOKS_PER_TIMEOUT = 8;

/**
 * Ends sessions of an HTTP/2 server whose client holds on to them for nothing: idle ones by GOAWAY,
 * ones whose client does not send or take what it asked for by ending their requests. Every session
 * ends within its time-out and an eighth, its socket at most two seconds later even if the client
 * never reads again. Call once, before the first connection.
 *
 * `server.setTimeout()` is left alone: it also ends sessions whose application needs longer to
 * answer, and a client can reset it byte by byte.
 *
 * @throws {TypeError | RangeError} If a limit is unknown or out of range.
 */
export function applyHttp2Limits(
  server: Http2Server | Http2SecureServer,
  limits: Http2Limits = {},
): void {
  const settings = parseHttp2Limits("applyHttp2Limits", limits);
  const lookEveryMs = Math.ceil(
    Math.min(settings.idleTimeoutMs, settings.stalledTimeoutMs) / LOOKS_PER_TIMEOUT,
  );
  const tracked = new Set<TrackedSession>();
  let timer: NodeJS.Timeout | undefined;
  // Node emits "session" while it handles the event that brought the socket, and offers no other
  // way from a session to a socket that may be destroyed.
  let arriving: Socket | undefined;
  const arrive = (socket: Socket): void => {
    arriving = socket;
  };
  const look = (): void => {
    const now = performance.now();
    for (const entry of tracked) examine(entry, now, settings);
  };

  server.prependListener("connection", arrive);
  server.prependListener("secureConnection", arrive);
  server.on("session", (session: ServerHttp2Session) => {
    if (arriving === undefined) return;
    const entry = track(session, arriving);
    tracked.add(entry);
    timer ??= setInterval(look, lookEveryMs).unref();
    session.once("close", () => {
      tracked.delete(entry);
      if (tracked.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    });
  });
}

function track(session: ServerHttp2Session, socket: Socket): TrackedSession {
  const now = performance.now();
  const openStreams = new Set<ServerHttp2Stream>();
  const entry: TrackedSession = {
    session,
    socket,
    openStreams,
    idleSince: now,
    stretchSince: now,
    stretchBytes: 0,
    endedAt: undefined,
  };
  session.on("stream", (stream: ServerHttp2Stream) => {
    openStreams.add(stream);
    stream.once("close", () => {
      openStreams.delete(stream);
      if (openStreams.size === 0) entry.idleSince = performance.now();
    });
  });
  return entry;
}

function examine(entry: TrackedSession, now: number, settings: Http2LimitSettings): void {
  const { session, socket, openStreams } = entry;
  if (entry.endedAt !== undefined) {
    // Node waits for its last write to be taken and for the client's FIN, both without a time limit.
    const lingerMs = Math.min(MAX_LINGER_MS, settings.idleTimeoutMs);
    if (now - entry.endedAt >= lingerMs) socket.destroy();
  } else if (session.destroyed) {
    entry.endedAt = now;
  } else if (openStreams.size === 0) {
    if (now - entry.idleSince < settings.idleTimeoutMs) return;
    entry.endedAt = now;
    session.close();
  } else if (isStalled(entry, now, settings.stalledTimeoutMs)) {
    entry.endedAt = now;
    session.destroy();
  }
}

function isStalled(entry: TrackedSession, now: number, stalledTimeoutMs: number): boolean {
  const bytes = entry.socket.bytesRead + entry.socket.bytesWritten;
  const hasProgress = bytes - entry.stretchBytes >= MIN_PROGRESS_BYTES;
  if (hasProgress || ![...entry.openStreams].some(waitsForClient)) {
    entry.stretchSince = now;
    entry.stretchBytes = bytes;
    return false;
  }
  return now - entry.stretchSince >= stalledTimeoutMs;
}

function waitsForClient(stream: ServerHttp2Stream): boolean {
  if (stream.headersSent) return stream.writableEnded || stream.writableLength > 0;
  return stream.state.remoteClose === 0 && stream.readableLength === 0;
}
