import { compileSecurityHeaders } from "@hauberk/headers";
import {
  clientAddress,
  type ConnectionLimit,
  createConnectionLimit,
  createLimiter,
  trustedProxies,
} from "@hauberk/rate-limit";
import { type CertificateSource, createTlsServer, fixedCertificates } from "@hauberk/tls";
import type { Socket } from "node:net";
import { createAccessLog } from "./access-log.ts";
import { createApplicationCaller } from "./application.ts";
import {
  type Application,
  parseServerConfig,
  type ServerConfig,
  type ServerSettings,
} from "./config.ts";
import { Connections } from "./connections.ts";
import { ServerError } from "./errors.ts";
import type { ExchangeContext } from "./exchange.ts";
import { createHttp1Server } from "./http1-server.ts";
import { createHttp2Server } from "./http2-server.ts";
import { createHostCheck } from "./known-hosts.ts";
import { type Listener, listen } from "./listener.ts";
import { createResourceCache } from "./resource-cache.ts";
import { createCollector, withCollector, withReporting } from "./reports.ts";
import { requireRoot } from "./root.ts";
import { createSecurityTxtRoute } from "./security-txt.ts";
import { createStages, type StageSettings } from "./stages.ts";
import { createStaticFiles } from "./static-files.ts";

/** Where a server can be reached. */
export interface ServerAddresses {
  /** For example `https://localhost:8443/`. */
  readonly https: string;
  /** For example `http://localhost:8080/`, when there is a plain HTTP listener. */
  readonly http?: string;
}

/** An HTTPS server with its plain HTTP redirect. */
export interface HauberkServer {
  /**
   * Starts accepting connections.
   *
   * @throws {ServerError} ERR_SERVER_LISTEN_FAILED when an address cannot be had;
   *   ERR_SERVER_ALREADY_LISTENING at the second call.
   */
  listen(): Promise<ServerAddresses>;
  /**
   * Stops accepting, answers the requests in flight, and ends every connection within `timeouts.shutdownMs`.
   * May be called any number of times.
   */
  close(): Promise<void>;
}

/**
 * Returns a server for static files, an application, or both: TLS by Mozilla's profile, HTTP/2 and HTTP/1.1,
 * security headers on every response, a plain HTTP listener that only redirects.
 *
 * @throws {TypeError | RangeError} The configuration is wrong; the message names the option.
 * @throws {ServerError} ERR_SERVER_ROOT_UNREADABLE when `root` is no readable folder.
 * @throws {TlsError} The certificate cannot be used.
 */
export function createServer(config: ServerConfig): HauberkServer {
  const settings = withReporting(parseServerConfig(config));
  const { timeouts } = settings;
  const onEvent = withoutThrowing(settings.onEvent);
  const source = certificateSource(settings.certificate);
  const connections = new Connections();
  const accessLog = createAccessLog(settings.log, process.stdout.fd, (error) => {
    onEvent({ kind: "log-failed", error });
  });
  let httpsListener: Listener | undefined;
  let httpListener: Listener | undefined;
  let state: "new" | "listening" | "closed" = "new";
  let closing: Promise<void> | undefined;

  const addressOf = createAddressReader(settings.trustedProxies);
  const app = completeApplication({ ...settings, onEvent }, addressOf);
  const context: ExchangeContext = {
    stages: createStages(
      stageSettings({ ...settings, onEvent }, source, () => httpsListener?.port ?? settings.port),
    ),
    callApplication: app && createApplicationCaller(app, settings.headers, onEvent),
    accessLog,
    onEvent,
    addressOf,
  };
  const limit = connectionLimit({ ...settings, onEvent });
  const { dataRate } = settings;
  const http1 = createHttp1Server(context, { scheme: "https", timeouts, connections, dataRate });
  const http2 = createHttp2Server(context, { timeouts, connections });
  const plain = createHttp1Server(context, { scheme: "http", timeouts, connections, dataRate });
  const tls = createTlsServer(source, {
    profile: settings.tlsProfile,
    alpnProtocols: ["h2", "http/1.1"],
    handshakeTimeoutMs: timeouts.handshakeMs,
    onEvent(event) {
      if (event.kind === "certificate-rejected") onEvent(event);
    },
  });
  tls.on("secureConnection", (socket) => {
    (socket.alpnProtocol === "h2" ? http2 : http1).emit("connection", socket);
  });

  /** Before a byte is read: what is refused here has cost no cryptography. */
  function admit(socket: Socket): boolean {
    const decision = limit?.accept(socket.remoteAddress);
    if (decision?.kind === "refused") {
      socket.resetAndDestroy();
      return false;
    }
    if (decision !== undefined) socket.once("close", decision.release);
    connections.addSocket(socket);
    return true;
  }

  async function open(): Promise<ServerAddresses> {
    const { host, port, httpPort } = settings;
    httpsListener = await listen(host, port, (socket) => {
      if (admit(socket)) tls.emit("connection", socket);
    });
    const https = `https://${urlHost(host)}:${httpsListener.port}/`;
    if (httpPort === false) return { https };
    try {
      httpListener = await listen(host, httpPort, (socket) => {
        if (admit(socket)) plain.emit("connection", socket);
      });
    } catch (error) {
      httpsListener.close();
      throw error;
    }
    return { https, http: `http://${urlHost(host)}:${httpListener.port}/` };
  }

  async function shutDown(): Promise<void> {
    httpsListener?.close();
    httpListener?.close();
    await connections.close(timeouts.shutdownMs);
    // These never listened: closing them only stops their clocks and source subscriptions.
    for (const server of [http1, http2, plain, tls]) server.close(() => undefined);
    await accessLog.close();
  }

  return {
    async listen() {
      if (state !== "new") {
        throw new ServerError(
          "ERR_SERVER_ALREADY_LISTENING",
          `Cannot listen: the server is ${state} already; create a new one`,
        );
      }
      state = "listening";
      try {
        const addresses = await open();
        if (closing === undefined) return addresses;
      } catch (error) {
        if (closing === undefined) state = "new";
        throw error;
      }
      httpsListener?.close();
      httpListener?.close();
      throw new ServerError("ERR_SERVER_LISTEN_FAILED", "Cannot listen: the server was closed");
    },
    close() {
      state = "closed";
      closing ??= shutDown();
      return closing;
    },
  };
}

function certificateSource(certificate: ServerSettings["certificate"]): CertificateSource {
  return "certificateFor" in certificate ? certificate : fixedCertificates(certificate);
}

function connectionLimit(settings: ServerSettings): ConnectionLimit | undefined {
  const { connections, trustedProxies: exempt, clock, onEvent } = settings;
  if (connections === false) return undefined;
  return namingOption("connections", () =>
    createConnectionLimit({
      ...connections,
      exempt,
      clock,
      onEvent(refusal) {
        const error = new Error(`Refused ${refusal.address}: ${refusal.reason}`);
        onEvent({ kind: "connection-refused", refusal, error });
      },
    }),
  );
}

function stageSettings(
  settings: ServerSettings,
  source: CertificateSource,
  httpsPort: () => number,
): StageSettings {
  const { rateLimit, clock, securityTxt, onEvent } = settings;
  return {
    isKnownHost: createHostCheck(settings.hosts, source),
    httpsPort,
    headers: compileSecurityHeaders(settings.headers),
    limiter:
      rateLimit === false
        ? undefined
        : namingOption("rateLimit", () => createLimiter(rateLimit, { clock })),
    staticFiles: settings.root === undefined ? undefined : staticFilesOf(settings.root, settings),
    securityTxt:
      securityTxt &&
      namingOption("securityTxt", () => createSecurityTxtRoute(securityTxt, onEvent)),
    hasApplication: settings.app !== undefined,
    hasReports: settings.reports !== false,
  };
}

/** Returns the application with the collector of reports before it, as far as there are any. */
function completeApplication(
  settings: ServerSettings,
  addressOf: ExchangeContext["addressOf"],
): Application | undefined {
  const { app, reports } = settings;
  if (reports === false) return app;
  const options = reports === true ? {} : reports;
  const collector = namingOption("reports", () => createCollector(options, settings, addressOf));
  return withCollector(collector, app);
}

function staticFilesOf(
  folder: string,
  { memory, pages, cacheControl }: ServerSettings,
): NonNullable<StageSettings["staticFiles"]> {
  const root = requireRoot(folder);
  const cache = createResourceCache({
    root,
    ...memory,
    addsIntegrity: pages.integrity,
    hashesAttributes: pages.attributeHashes,
  });
  return { answer: createStaticFiles({ root, cache, cacheControl }), cache };
}

function createAddressReader(cidrs: readonly string[]): ExchangeContext["addressOf"] {
  const proxies = namingOption("trustedProxies", () => trustedProxies(cidrs));
  return (remoteAddress, field) => {
    const forwardedFor = cidrs.length === 0 ? undefined : field("x-forwarded-for");
    const request = { remoteAddress, ...(forwardedFor !== undefined && { forwardedFor }) };
    return clientAddress(request, { trustedProxies: proxies });
  };
}

/** A listener that throws must not end the process: its error becomes a warning of the process. */
function withoutThrowing(listener: ServerSettings["onEvent"]): ServerSettings["onEvent"] {
  return (event) => {
    try {
      listener(event);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  };
}

/** Returns what `make` returns; its complaints say which option of the server they are about. */
function namingOption<T>(option: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const isMisuse = error instanceof TypeError || error instanceof RangeError;
    if (isMisuse) error.message = `Cannot create server: option "${option}": ${error.message}`;
    throw error;
  }
}

function urlHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
