import { connect as connectSocket, isIP, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from "node:tls";
import { CertError } from "../errors.ts";
import { sentCertificates } from "./sent-certificates.ts";

/** Where to look and how long. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  /** Sent as SNI; undefined for addresses. */
  readonly serverName: string | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** What one TLS handshake showed. */
export interface ServerHandshake {
  /** DER, in the order sent. */
  readonly certificates: readonly Buffer[];
  /** False when the order is the one Node put them in. */
  readonly isAsSent: boolean;
  /** Undefined when the server ended the handshake before it was agreed. */
  readonly protocol: string | undefined;
  readonly cipher: string | undefined;
  /** Whether Node, with the roots it trusts, would go on. */
  readonly isTrustedByNode: boolean;
}

/** The longest chain Node itself accepts has 100 KB. */
const MAX_RECORDED_BYTES = 262_144;
const SECRET_LINE = /^SERVER_HANDSHAKE_TRAFFIC_SECRET [0-9a-f]+ ([0-9a-f]+)/;

/**
 * Shakes hands with a TLS server of any version and strength, accepting any certificate, and hangs up.
 *
 * @throws {CertError} ERR_CERT_CONNECTION when there is no server, no TLS or no answer in time
 */
export async function shakeHands(address: ServerAddress): Promise<ServerHandshake> {
  const { host, port, serverName, timeoutMs, signal } = address;
  signal?.throwIfAborted();
  const socket = connectSocket({ host, port });
  const received: Buffer[] = [];
  let secret: Buffer | undefined;
  const tls = connectTls({
    socket: tap(socket, received),
    host,
    rejectUnauthorized: false,
    // To look at what nobody should serve any more, one has to be able to talk to it.
    minVersion: "TLSv1",
    ciphers: "DEFAULT:@SECLEVEL=0",
    ...(serverName !== undefined && isIP(serverName) === 0 && { servername: serverName }),
  });
  tls.on("keylog", (line: Buffer) => {
    const hex = SECRET_LINE.exec(line.toString("latin1"))?.[1];
    if (hex !== undefined) secret = Buffer.from(hex, "hex");
  });
  try {
    const failure = await settled(tls, timeoutMs, signal);
    const heard = {
      received: Buffer.concat(received),
      serverSecret: secret,
      cipher: failure === undefined ? tls.getCipher().standardName : undefined,
    };
    const sent = sentCertificates(heard);
    // A server that demands a client certificate has shown its own before it refuses us.
    if (failure !== undefined && (sent === undefined || sent.length === 0)) throw failure;
    return {
      certificates: sent ?? belongingCertificates(tls),
      isAsSent: sent !== undefined,
      protocol: tls.getProtocol() ?? undefined,
      cipher: failure === undefined ? tls.getCipher().standardName : undefined,
      isTrustedByNode: failure === undefined && tls.authorized,
    };
  } catch (cause) {
    if (signal?.aborted === true) throw signal.reason;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CertError("ERR_CERT_CONNECTION", `Cannot look at ${host}:${port}: ${reason}`, {
      cause,
    });
  } finally {
    tls.destroy();
    socket.destroy();
  }
}

/** Resolves when the handshake is over, with the error it ended in if any; rejects on time-out. */
async function settled(
  tls: TLSSocket,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Error | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    const abort = (): void => {
      reject(new Error("aborted"));
    };
    signal?.addEventListener("abort", abort, { once: true });
    const finish = (error: Error | undefined): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      resolve(error);
    };
    tls.once("secureConnect", () => {
      finish(undefined);
    });
    tls.on("error", finish);
    tls.once("close", () => {
      finish(new Error("the server hung up during the handshake"));
    });
  });
}

/** Hands everything through and keeps a copy of what comes in. */
function tap(socket: Socket, received: Buffer[]): Duplex {
  let recordedBytes = 0;
  const duplex = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => {
      socket.write(chunk, done);
    },
    final: (done) => {
      socket.end(done);
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (chunk: Buffer) => {
    recordedBytes += chunk.length;
    if (recordedBytes <= MAX_RECORDED_BYTES) received.push(chunk);
    if (!duplex.push(chunk)) socket.pause();
  });
  socket.on("end", () => duplex.push(null));
  socket.on("error", (error) => duplex.destroy(error));
  socket.on("close", () => duplex.destroy());
  return duplex;
}

/** The chain as Node puts it together: it ends in a root that is its own issuer, or at a gap. */
function belongingCertificates(tls: TLSSocket): Buffer[] {
  const certificates = new Map<string, Buffer>();
  let current: Partial<DetailedPeerCertificate> | undefined = tls.getPeerCertificate(true);
  while (current?.raw !== undefined && !certificates.has(current.raw.toString("base64"))) {
    certificates.set(current.raw.toString("base64"), current.raw);
    current = current.issuerCertificate;
  }
  return [...certificates.values()];
}
