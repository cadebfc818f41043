import type { IncomingMessage, ServerResponse } from "node:http";
import { isIP } from "node:net";
import type { SecurityHeadersOptions, SecurityTxtFields } from "@hauberk/headers";
import type { ReportStore } from "@hauberk/headers/reports";
import type {
  ConnectionLimitOptions,
  ConnectionRefusedEvent,
  RateLimitPolicy,
} from "@hauberk/rate-limit";
import type { CertificatePair, CertificateSource, TlsProfileName } from "@hauberk/tls";
import { z } from "zod";
import type { AccessLogFormat } from "./access-log.ts";
import { parseAuthority } from "./authority.ts";
import type { DataRate } from "./data-rate.ts";
import { nearest } from "./nearest.ts";

/** A function that answers requests: an Express or Connect application, or a plain node:http listener. */
export type Application = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Something worth an operator's attention; the server goes on. */
export type ServerEvent =
  | { readonly kind: "application-failed"; readonly error: unknown }
  | { readonly kind: "request-failed"; readonly error: unknown }
  | { readonly kind: "log-failed"; readonly error: Error }
  | { readonly kind: "certificate-rejected"; readonly error: unknown }
  | { readonly kind: "page-was-cacheable"; readonly error: Error }
  | { readonly kind: "reports-lost"; readonly error: unknown }
  | {
      /** The first refused connection of an address in a second. */
      readonly kind: "connection-refused";
      readonly refusal: ConnectionRefusedEvent;
      readonly error: Error;
    }
  | { readonly kind: "security-txt-expiring" | "security-txt-expired"; readonly error: Error };

/** What `createServer` needs to know. Parsed once; an unknown key or a value out of bounds is an error. */
export interface ServerConfig {
  /** A private key with its certificate chain, or a source of several that may change while the server runs. */
  readonly certificate: CertificatePair | CertificateSource;
  /** Folder whose files are served. At least one of `root` and `app` is needed. */
  readonly root?: string | undefined;
  /** Answers what `root` has no file for, over HTTP/1.1 and HTTP/2 alike. */
  readonly app?: Application | undefined;
  /**
   * Address or name to listen on; a name listens on all its addresses.
   * @default "localhost"
   */
  readonly host?: string | undefined;
  /**
   * TCP port for HTTPS, 0 for any free one.
   * @default 8443
   */
  readonly port?: number | undefined;
  /**
   * TCP port for plain HTTP, which only redirects; 0 for any free one, false for none.
   * @default 8080
   */
  readonly httpPort?: number | false | undefined;
  /**
   * Hosts this server speaks for: those its certificates cover, a list of names and addresses without
   * port, or any.
   * Requests for others get 421.
   * @default "certificate"
   */
  readonly hosts?: "certificate" | "any" | readonly string[] | undefined;
  /**
   * Mozilla's TLS profile.
   * @default "intermediate"
   */
  readonly tlsProfile?: TlsProfileName | undefined;
  /** Security headers of every response; the preset `site` unless named otherwise. */
  readonly headers?: SecurityHeadersOptions | undefined;
  /**
   * Requests that one client address may make, or false for no limit.
   * @default false
   */
  readonly rateLimit?: RateLimitPolicy | false | undefined;
  /**
   * Connections that one address, one network and all together may have and open, and who is banned:
   * `perAddress`, `perPrefix`, `total`, `handshakesPerSecond` and `bans` of `createConnectionLimit`.
   * Refused ones are reset before any cryptography. Those of `trustedProxies` count against `total` only.
   * @default {} (1024, 4096, 8192 connections; 100 per second and 1000 at once); false for no limit
   */
  readonly connections?: ConnectionsConfig | false | undefined;
  /**
   * How slowly a client may send the content of an HTTP/1.1 request, and read the response.
   * @default { minBytesPerSecond: 500, graceMs: 10000 }; false for any rate
   */
  readonly dataRate?: DataRateConfig | false | undefined;
  /**
   * Address ranges (CIDR) of proxies whose X-Forwarded-For is believed.
   * @default []
   */
  readonly trustedProxies?: readonly string[] | undefined;
  /**
   * Cache-Control of files.
   * @default "no-cache" (keep a copy, ask whether it is still right)
   */
  readonly cacheControl?: string | undefined;
  /**
   * Whether browsers report what the policies block to this server, which shows it under
   * `/.well-known/reports/`. It changes no policy by itself.
   * @default false
   */
  readonly reports?: ReportsConfig | boolean | undefined;
  /** What is made of pages when they are read. */
  readonly pages?: PagesConfig | undefined;
  /** Files kept in memory. */
  readonly memory?: MemoryConfig | undefined;
  /** How long the server waits for what. */
  readonly timeouts?: TimeoutConfig | undefined;
  /**
   * Access log on standard output.
   * @default "off"
   */
  readonly log?: AccessLogFormat | undefined;
  /**
   * Where to report a vulnerability: `/.well-known/security.txt`, served until it expires.
   * @see RFC 9116
   */
  readonly securityTxt?: SecurityTxtFields | undefined;
  /** Told of failures that no client sees. */
  readonly onEvent?: ((event: ServerEvent) => void) | undefined;
  /**
   * Monotonic milliseconds for the rate limit.
   * @default performance.now
   */
  readonly clock?: (() => number) | undefined;
}

/** Reports of browsers about what the policies blocked. */
export interface ReportsConfig {
  /**
   * Where they are kept.
   * @default memoryReportStore() of `@hauberk/headers/reports`
   */
  readonly store?: ReportStore | undefined;
  /**
   * Who knows it may read the page of reports, as the password of Basic authentication or as a Bearer
   * token. At least 16 visible ASCII characters. Without one only this machine may.
   */
  readonly token?: string | undefined;
  /**
   * Origins whose pages report here besides those of this server.
   * @default []
   */
  readonly origins?: readonly string[] | undefined;
  /**
   * Clients that must have reported a thing before the page proposes a change, 1 to 16.
   * @default 3
   */
  readonly minReporters?: number | undefined;
}

/** What is done to HTML pages of at most 1 MiB when they are read. */
export interface PagesConfig {
  /**
   * Whether scripts and stylesheets of the root get an `integrity` attribute. Pages that it changes
   * are sent without their precompressed forms.
   * @default false
   */
  readonly integrity?: boolean | undefined;
  /**
   * Whether event-handler and style attributes are hashed into the policy (`'unsafe-hashes'`).
   * @default false
   */
  readonly attributeHashes?: boolean | undefined;
}

/** Limits of connections; `createConnectionLimit` of `@hauberk/rate-limit` says more. */
export type ConnectionsConfig = Pick<
  ConnectionLimitOptions,
  "perAddress" | "perPrefix" | "total" | "handshakesPerSecond" | "bans"
>;

/**
 * A client has `graceMs`, and a second more for every `minBytesPerSecond` bytes. After it a request is
 * answered with 408, or its connection ends where the response has begun.
 */
export interface DataRateConfig {
  /**
   * Bytes, 1 to 1,000,000.
   * @default 500
   */
  readonly minBytesPerSecond?: number | undefined;
  /**
   * Milliseconds, 10 to 3,600,000.
   * @default 10000
   */
  readonly graceMs?: number | undefined;
}

export interface MemoryConfig {
  /**
   * Largest file kept in memory, bytes, 0 to 16 MiB.
   * @default 262144
   */
  readonly maxFileBytes?: number | undefined;
  /**
   * All kept files together, bytes.
   * @default 67108864 (64 MiB)
   */
  readonly maxBytes?: number | undefined;
  /**
   * Milliseconds until a changed file is noticed, 0 to 3,600,000.
   * @default 1000
   */
  readonly revalidateMs?: number | undefined;
}

/** Milliseconds, each 1 to 86,400,000 where nothing else is said. */
export interface TimeoutConfig {
  /** Until the TLS handshake is complete; 100 to 120,000. @default 10000 */
  readonly handshakeMs?: number | undefined;
  /** Until all fields of an HTTP/1.1 request have arrived. @default 15000 */
  readonly headersMs?: number | undefined;
  /** Until the whole HTTP/1.1 request has arrived. @default 300000 */
  readonly requestMs?: number | undefined;
  /** Between two HTTP/1.1 requests of one connection. @default 15000 */
  readonly keepAliveMs?: number | undefined;
  /** Without a byte in either direction; at least 50. @default 60000 */
  readonly idleMs?: number | undefined;
  /** For requests in flight when the server closes. @default 30000 */
  readonly shutdownMs?: number | undefined;
}

type Complete<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/** The configuration with every default filled in. */
export interface ServerSettings extends Complete<
  Omit<ServerConfig, "root" | "app" | "securityTxt" | "memory" | "pages" | "timeouts" | "dataRate">
> {
  readonly root?: string | undefined;
  readonly app?: Application | undefined;
  readonly securityTxt?: SecurityTxtFields | undefined;
  readonly memory: Complete<MemoryConfig>;
  readonly pages: Complete<PagesConfig>;
  readonly timeouts: Complete<TimeoutConfig>;
  readonly dataRate: DataRate | false;
}

const DAY_MS = 86_400_000;
const milliseconds = (byDefault: number, min = 1, max = DAY_MS): z.ZodDefault<z.ZodNumber> =>
  z.number().int().min(min).max(max).default(byDefault);
const tcpPort = z.number().int().min(0).max(65_535);
const functionOf = <T>(): z.ZodType<T, T> =>
  z.custom<T>((value) => typeof value === "function", { error: "expected a function" });

const hostName = z.string().refine((text) => isIP(text) !== 0 || isHostName(text));

const hostNames = z
  .array(hostName)
  .refine(({ length }) => length > 0)
  .readonly();

const memory = z.strictObject({
  maxFileBytes: z.number().int().min(0).max(16_777_216).default(262_144),
  maxBytes: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(67_108_864),
  revalidateMs: z.number().int().min(0).max(3_600_000).default(1000),
});

const pages = z.strictObject({
  integrity: z.boolean().default(false),
  attributeHashes: z.boolean().default(false),
});

const reports = z.strictObject({
  store: z.custom<ReportStore>(isObject).optional(),
  token: z.string().optional(),
  origins: z.array(z.string()).readonly().optional(),
  minReporters: z.number().optional(),
});

const timeouts = z.strictObject({
  handshakeMs: milliseconds(10_000, 100, 120_000),
  headersMs: milliseconds(15_000),
  requestMs: milliseconds(300_000),
  keepAliveMs: milliseconds(15_000),
  idleMs: milliseconds(60_000, 50),
  shutdownMs: milliseconds(30_000),
});

const dataRate = z.strictObject({
  minBytesPerSecond: z.number().int().min(1).max(1_000_000).default(500),
  graceMs: milliseconds(10_000, 10, 3_600_000),
});

const serverConfig = z.strictObject({
  certificate: z.custom<CertificatePair | CertificateSource>(isCertificate, {
    error: "expected { key, cert } as PEM text, or a certificate source",
  }),
  root: z.string().min(1).optional(),
  app: functionOf<Application>().optional(),
  host: z.string().min(1).default("localhost"),
  port: tcpPort.default(8443),
  httpPort: z
    .union([tcpPort, z.literal(false)], { error: "expected a port from 0 to 65535, or false" })
    .default(8080),
  hosts: z
    .union([z.literal("certificate"), z.literal("any"), hostNames], {
      error: 'expected "certificate", "any", or a list of host names and addresses without port',
    })
    .default("certificate"),
  tlsProfile: z.enum(["intermediate", "modern"]).default("intermediate"),
  headers: z.custom<SecurityHeadersOptions>(isObject, { error: "expected an object" }).default({}),
  rateLimit: z.union([z.custom<RateLimitPolicy>(isObject), z.literal(false)]).default(false),
  connections: z
    .union([z.custom<ConnectionsConfig>(isObject), z.literal(false)], {
      error: "expected an object, or false",
    })
    .default({}),
  dataRate: z.union([dataRate, z.literal(false)]).default(dataRate.parse({})),
  trustedProxies: z.array(z.string()).readonly().default([]),
  cacheControl: z
    .string()
    .regex(/^[\x20-\x7e]+$/)
    .default("no-cache"),
  reports: z.union([z.boolean(), reports]).default(false),
  pages: pages.default(pages.parse({})),
  memory: memory.default(memory.parse({})),
  timeouts: timeouts.default(timeouts.parse({})),
  log: z.enum(["json", "combined", "off"]).default("off"),
  securityTxt: z.custom<SecurityTxtFields>(isObject, { error: "expected an object" }).optional(),
  onEvent: functionOf<(event: ServerEvent) => void>().default(() => () => undefined),
  clock: functionOf<() => number>().default(() => () => performance.now()),
});

/**
 * Returns the settings that `config` means.
 *
 * @throws {TypeError} An option is unknown or has the wrong type; the nearest name is offered.
 * @throws {RangeError} A number is out of bounds.
 */
export function parseServerConfig(config: ServerConfig): ServerSettings {
  const parsed = serverConfig.safeParse(config);
  if (parsed.success) {
    if (parsed.data.root === undefined && parsed.data.app === undefined) {
      throw new TypeError("Cannot create server: give it a root folder, an app, or both");
    }
    return parsed.data;
  }
  throw configError(parsed.error.issues, config);
}

/** Options that hold options of their own. */
const GROUPS = { dataRate, memory, pages, reports, timeouts };

type Issue = z.core.$ZodIssue;

function configError(issues: readonly Issue[], config: unknown): Error {
  const [issue] = issues;
  if (issue?.code === "unrecognized_keys") return unknownKeyError(issue);
  const path = issue?.path.join(".") ?? "";
  const name = path === "" ? "configuration" : `option "${path}"`;
  const wanted = `Cannot create server: ${name}: ${issue?.message ?? "is invalid"}`;
  const message = `${wanted}${echo(valueAt(config, issue?.path ?? []))}`;
  const isRange = issue?.code === "too_small" || issue?.code === "too_big";
  return isRange ? new RangeError(message) : new TypeError(message);
}

function unknownKeyError(issue: Extract<Issue, { code: "unrecognized_keys" }>): TypeError {
  const [key = ""] = issue.keys;
  const path = [...issue.path, key].join(".");
  const group = Object.entries(GROUPS).find(([name]) => name === issue.path[0])?.[1];
  const known = Object.keys((group ?? serverConfig).shape);
  return new TypeError(
    `Cannot create server: unknown option "${path}"; did you mean "${nearest(key, known)}"?`,
  );
}

function isHostName(text: string): boolean {
  return parseAuthority(text)?.host === text.toLowerCase() && !text.includes("*");
}

function valueAt(config: unknown, path: readonly PropertyKey[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return config;
  return typeof config === "object" && config !== null
    ? valueAt(Reflect.get(config, key), rest)
    : undefined;
}

/** Objects are not repeated: one of them holds the private key. */
function echo(value: unknown): string {
  return typeof value === "object" || typeof value === "function"
    ? ""
    : `, got ${JSON.stringify(value)}`;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function isCertificate(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if ("certificateFor" in value) return typeof value.certificateFor === "function";
  const { key, cert } = value as Partial<Record<"key" | "cert", unknown>>;
  return typeof key === "string" && typeof cert === "string";
}
