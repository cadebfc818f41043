import type { AddressInfo, Server } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { afterEach } from "mocha";

/** What a client saw of one handshake. */
export interface Handshake {
  readonly protocol: string | null;
  readonly cipher: string;
  readonly alpnProtocol: string | false | null;
  /** The leaf's subjectAltName, for example "DNS:localhost". */
  readonly names: string | undefined;
  readonly fingerprint256: string;
  readonly isResumed: boolean;
  /** The last session the server offered, to resume with. */
  readonly session: Buffer | undefined;
}

const open = new Set<{ close(): unknown }>();

/** Listens on a free port of 127.0.0.1; the server is closed after the running test. */
export async function listenForTest(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  open.add(server);
  return (server.address() as AddressInfo).port;
}

/** Opens a TLS connection that the caller keeps; it is destroyed after the running test. */
export async function openTls(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, ...options });
  open.add({ close: () => socket.destroy() });
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  socket.on("error", () => undefined);
  return socket;
}

/**
 * Connects, reads until the server closes, and resolves with what was agreed; rejects as the handshake fails.
 * The server must send a byte before it ends for the client to learn its TLS 1.3 session.
 */
export async function handshake(port: number, options: ConnectionOptions): Promise<Handshake> {
  let session: Buffer | undefined;
  const socket = connect({ host: "127.0.0.1", port, ...options });
  open.add({ close: () => socket.destroy() });
  socket.on("session", (offered: Buffer) => {
    session = offered;
  });
  return new Promise((resolve, reject) => {
    let agreed: Omit<Handshake, "session"> | undefined;
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      const certificate = socket.getPeerCertificate();
      agreed = {
        protocol: socket.getProtocol(),
        cipher: socket.getCipher().name,
        alpnProtocol: socket.alpnProtocol,
        names: certificate.subjectaltname,
        fingerprint256: certificate.fingerprint256,
        isResumed: socket.isSessionReused(),
      };
    });
    socket.resume();
    socket.once("close", () => {
      if (agreed === undefined) reject(new Error("The server ended before the handshake did"));
      else resolve({ ...agreed, session });
    });
  });
}

afterEach(() => {
  for (const closable of open) closable.close();
  open.clear();
});
