import type { SecureContext, SecureContextOptions, Server, TLSSocket } from "node:tls";
import { createSecureContext, createServer } from "node:tls";
import type { CertificatePair } from "./certificate-pair.ts";
import type { CertificateSource } from "./certificate-source.ts";
import { TlsError } from "./errors.ts";
import { integerOption, requireKnownKeys } from "./options.ts";
import { secureContextOptions } from "./secure-context.ts";
import type { SessionTicketKeys } from "./session-tickets.ts";
import { sessionTicketKeys } from "./session-tickets.ts";
import { canonicalServerName } from "./sni.ts";
import type { TlsProfileName } from "./tls-profile.ts";

/** What happened on a TLS server that an operator may want to read or count. */
export type TlsServerEvent =
  | { readonly kind: "certificate-replaced" }
  | {
      /** A pair of the source cannot be used; the default, or the previous default, is presented. */
      readonly kind: "certificate-rejected";
      /** The name the pair was asked for; undefined for the default. */
      readonly serverName: string | undefined;
      readonly error: unknown;
    }
  | { readonly kind: "ticket-key-rotated" }
  | {
      /** A client did not complete the handshake. */
      readonly kind: "handshake-failed";
      readonly remoteAddress: string | undefined;
      readonly error: Error;
    }
  | {
      /** An established connection broke. */
      readonly kind: "connection-failed";
      readonly remoteAddress: string | undefined;
      readonly error: Error;
    };

export interface TlsServerOptions {
  /** @default "intermediate" */
  readonly profile?: TlsProfileName | undefined;
  /**
   * Protocols offered by ALPN, preferred first. A client that offers others alone is refused; one
   * without ALPN connects, and speaks HTTP/1.1 by convention.
   *
   * @default ["http/1.1"]
   * @see RFC 7301 section 3.2
   */
  readonly alpnProtocols?: readonly string[] | undefined;
  /**
   * Time a client has to complete the handshake. Milliseconds, integer from 100 to 120000.
   *
   * @default 10000
   */
  readonly handshakeTimeoutMs?: number | undefined;
  /**
   * Keys for session tickets; pass one object to several servers, or one secret to several
   * processes, for sessions to be resumed across them. Closed by whoever made it.
   *
   * @default random keys that rotate every 12 hours and end with the server
   */
  readonly ticketKeys?: SessionTicketKeys | undefined;
  /** Current time in milliseconds since 1970. @default Date.now */
  readonly now?: (() => number) | undefined;
  /** Called in a microtask of its own, never inside the handshake. */
  readonly onEvent?: ((event: TlsServerEvent) => void) | undefined;
}

const KNOWN_OPTIONS = {
  profile: true,
  alpnProtocols: true,
  handshakeTimeoutMs: true,
  ticketKeys: true,
  now: true,
  onEvent: true,
} as const satisfies Record<keyof TlsServerOptions, true>;

const HANDSHAKE_TIMEOUT_MS = { min: 100, max: 120_000, default: 10_000 };

/**
 * Returns a TLS server, not yet listening, that presents the certificates of `source` under a profile
 * of Mozilla's. It follows the source's changes without dropping a connection or a session; a pair
 * that cannot be used is refused and the one before it stays. Hand the sockets of its
 * "secureConnection" event to the protocol that `socket.alpnProtocol` names.
 *
 * @throws {TypeError | RangeError} If an option is unknown, of the wrong type or out of range.
 * @throws {TlsError} ERR_TLS_CERTIFICATE_MISSING when the source has no default, or as `validateCertificatePair` says.
 */
export function createTlsServer(source: CertificateSource, options: TlsServerOptions = {}): Server {
  const { profile, alpnProtocols, handshakeTimeoutMs, now, onEvent } = parseOptions(options);
  const report = (event: TlsServerEvent): void => {
    if (onEvent !== undefined) queueMicrotask(() => onEvent(event));
  };
  const contextOptions = (pair: CertificatePair): SecureContextOptions =>
    secureContextOptions(pair, { profile, now });
  let active = defaultPair(source);
  let activeOptions = contextOptions(active);

  const ticketKeys = options.ticketKeys ?? sessionTicketKeys();
  const withTickets = (context: SecureContextOptions): SecureContextOptions => ({
    ...context,
    ticketKeys: ticketKeys.current(),
    sessionTimeout: ticketKeys.lifetimeSeconds,
  });
  const contextFor = contextLookup(source, (pair) => withTickets(contextOptions(pair)), report);

  const server = createServer({
    ...withTickets(activeOptions),
    ALPNProtocols: alpnProtocols,
    handshakeTimeout: handshakeTimeoutMs,
    noDelay: true,
    SNICallback: (rawName, done) => {
      // CVE-2026-21637: an exception in here ends the process, so nothing in contextFor may throw.
      done(null, contextFor(rawName));
    },
  });
  const followDefault = (): void => {
    try {
      const pair = defaultPair(source);
      if (pair === active) return;
      const nextOptions = contextOptions(pair);
      server.setSecureContext(withTickets(nextOptions));
      active = pair;
      activeOptions = nextOptions;
      report({ kind: "certificate-replaced" });
    } catch (error) {
      server.setSecureContext(withTickets(activeOptions));
      report({ kind: "certificate-rejected", serverName: undefined, error });
    }
  };
  const stopFollowing = source.onChange(followDefault);
  const stopRotating = ticketKeys.onRotate(() => {
    server.setTicketKeys(ticketKeys.current());
    report({ kind: "ticket-key-rotated" });
  });
  server.once("close", () => {
    stopFollowing();
    stopRotating();
    if (options.ticketKeys === undefined) ticketKeys.close();
  });
  reportFailures(server, report);
  return server;
}

function parseOptions(options: TlsServerOptions) {
  requireKnownKeys("createTlsServer", options, KNOWN_OPTIONS);
  return {
    profile: options.profile,
    alpnProtocols: requireProtocols(options.alpnProtocols ?? ["http/1.1"]),
    handshakeTimeoutMs: integerOption(
      "createTlsServer.handshakeTimeoutMs",
      options.handshakeTimeoutMs,
      HANDSHAKE_TIMEOUT_MS,
    ),
    now: options.now,
    onEvent: options.onEvent,
  };
}

function requireProtocols(protocols: unknown): string[] {
  const names: unknown[] = Array.isArray(protocols) ? protocols : [];
  if (names.length > 0 && names.every(isProtocolName)) return [...names];
  throw new TypeError(
    `createTlsServer.alpnProtocols must be a list of protocol names, got ${JSON.stringify(protocols)}`,
  );
}

/** RFC 7301 section 3.1: a name has 1 to 255 bytes. */
function isProtocolName(name: unknown): name is string {
  return typeof name === "string" && name.length > 0 && Buffer.byteLength(name) < 256;
}

function defaultPair(source: CertificateSource): CertificatePair {
  const pair = source.certificateFor(undefined);
  if (pair !== undefined) return pair;
  throw new TlsError(
    "ERR_TLS_CERTIFICATE_MISSING",
    "Cannot choose a default certificate: the source has none for clients without SNI",
  );
}

/**
 * Returns the context for the name of a ClientHello, or undefined for the default one; never throws.
 * One context is built per pair; a refused pair is reported once and then stands for the default.
 */
function contextLookup(
  source: CertificateSource,
  optionsFor: (pair: CertificatePair) => SecureContextOptions,
  report: (event: TlsServerEvent) => void,
): (rawName: string) => SecureContext | undefined {
  // Bounded by the pairs the source keeps alive.
  const contexts = new WeakMap<CertificatePair, SecureContext | undefined>();
  return (rawName) => {
    const serverName = canonicalServerName(rawName);
    if (serverName === undefined) return undefined;
    try {
      const pair = source.certificateFor(serverName);
      if (pair === undefined) return undefined;
      if (!contexts.has(pair)) {
        contexts.set(pair, undefined);
        contexts.set(pair, createSecureContext(optionsFor(pair)));
      }
      return contexts.get(pair);
    } catch (error) {
      report({ kind: "certificate-rejected", serverName, error });
      return undefined;
    }
  };
}

function reportFailures(server: Server, report: (event: TlsServerEvent) => void): void {
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    report({ kind: "handshake-failed", remoteAddress: socket.remoteAddress, error });
    // Node only announces a handshake that took too long and leaves the connection open.
    socket.destroy();
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    const { remoteAddress } = socket;
    // CVE-2025-59465: a socket without a listener for "error" ends the process.
    socket.on("error", (error: Error) => {
      report({ kind: "connection-failed", remoteAddress, error });
    });
  });
}
