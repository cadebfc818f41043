import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { echo, optionRecord } from "../option-checks.ts";
import { clientKey } from "./client-key.ts";
import { memoryReportStore } from "./memory-report-store.ts";
import { functionOption, integerOption, objectOption } from "./option-values.ts";
import { createPageAccess, type PageAccess, type PageRequest } from "./page-access.ts";
import { DEFAULT_MIN_REPORTERS, proposePolicy } from "./policy-proposal.ts";
import { MAX_REPORTERS } from "./report-entry.ts";
import type { ReportLimiter } from "./report-intake.ts";
import type { ReportStore } from "./report-store.ts";
import { DEFAULT_REPORTS_PATH } from "./reporting-headers.ts";

/** Something worth an operator's attention: reports could not be kept. */
export interface ReportCollectorEvent {
  readonly kind: "store-failed";
  readonly error: unknown;
}

/** Options of the page that shows the reports. */
export interface ReportPageOptions {
  /**
   * Who knows it may read the page: as the password of Basic authentication, with any user name, or
   * as a Bearer token. At least 16 visible ASCII characters. Without one only requests from this
   * machine are served, to a loopback address under a loopback name, through no proxy.
   */
  readonly token?: string;
  /** The policy as it is sent; changes are proposed to it. Without one none are. */
  readonly policy?: string;
  /**
   * Clients that must have reported a thing before a change is proposed, 1 to 16.
   *
   * @default 3
   */
  readonly minReporters?: number;
}

/** Options of `reportCollector()`. */
export interface ReportCollectorOptions {
  /**
   * Path below which reports are taken; the page is at `path/`.
   *
   * @default "/.well-known/reports"
   */
  readonly path?: string;
  /**
   * Where reports are kept.
   *
   * @default memoryReportStore()
   */
  readonly store?: ReportStore;
  /**
   * Origins whose pages may report here, `https://www.example`, besides the host that a report is
   * sent to. Reports about pages of others are dropped.
   *
   * @default []
   */
  readonly origins?: readonly string[];
  /**
   * Asked before each body, by what `clientOf` returns. Without one the collector takes 1200 bodies a
   * minute, from all clients together.
   */
  readonly limiter?: ReportLimiter;
  /**
   * Returns what stands for a client: limited as one, and counted as one reporter.
   *
   * @default the peer's address, of IPv6 its first 64 bits
   */
  readonly clientOf?: (request: IncomingMessage | Http2ServerRequest) => string;
  /**
   * The page, or false for none.
   *
   * @default {}
   */
  readonly page?: ReportPageOptions | false;
  /** Told when reports could not be kept. Must not throw. */
  readonly onEvent?: (event: ReportCollectorEvent) => void;
  /**
   * Returns milliseconds since the epoch.
   *
   * @default Date.now
   */
  readonly clock?: () => number;
}

/** Complete and checked. */
export interface CollectorSettings {
  readonly path: string;
  readonly store: ReportStore;
  readonly origins: readonly string[];
  readonly limiter: ReportLimiter | undefined;
  readonly clientOf: (request: IncomingMessage | Http2ServerRequest) => string;
  readonly page: PageSettings | undefined;
  readonly onEvent: (event: ReportCollectorEvent) => void;
  readonly clock: () => number;
}

interface PageSettings {
  readonly accessOf: (request: PageRequest) => PageAccess;
  readonly policy: string | undefined;
  readonly minReporters: number;
}

const KNOWN_OPTIONS = {
  path: true,
  store: true,
  origins: true,
  limiter: true,
  clientOf: true,
  page: true,
  onEvent: true,
  clock: true,
} satisfies Record<keyof ReportCollectorOptions, true>;

const KNOWN_PAGE_OPTIONS = {
  token: true,
  policy: true,
  minReporters: true,
} satisfies Record<keyof ReportPageOptions, true>;

/**
 * Checks the options once and fills in the defaults.
 *
 * @throws {TypeError | RangeError} Naming the option and its value; of a token neither.
 */
export function parseCollectorOptions(options: ReportCollectorOptions): CollectorSettings {
  const given = optionRecord("reportCollector options", options, KNOWN_OPTIONS);
  const limiter = given.get("limiter");
  const store = given.get("store");
  return {
    path: parsePath(given.get("path") ?? DEFAULT_REPORTS_PATH),
    store:
      store === undefined
        ? memoryReportStore()
        : objectOption<ReportStore>("store", store, ["add", "entries", "close"]),
    origins: parseOrigins(given.get("origins") ?? []),
    limiter:
      limiter === undefined
        ? undefined
        : objectOption<ReportLimiter>("limiter", limiter, ["consume"]),
    clientOf: functionOption<CollectorSettings["clientOf"]>(
      "clientOf",
      given.get("clientOf"),
      (request) => clientKey(request.socket.remoteAddress),
    ),
    page: parsePage(given.get("page") ?? {}),
    onEvent: functionOption<CollectorSettings["onEvent"]>(
      "onEvent",
      given.get("onEvent"),
      () => undefined,
    ),
    clock: functionOption<() => number>("clock", given.get("clock"), Date.now),
  };
}

function parsePath(path: unknown): string {
  if (typeof path === "string" && /^(?:\/[\w.~-]+)+$/.test(path)) return path;
  throw new TypeError(
    `path must be a path such as "/.well-known/reports", without a slash at its end, got ${echo(path)}`,
  );
}

function parseOrigins(origins: unknown): readonly string[] {
  if (!Array.isArray(origins)) {
    throw new TypeError(`origins must be a list of origins, got ${echo(origins)}`);
  }
  return origins.map((origin: unknown) => {
    const isOrigin =
      typeof origin === "string" && URL.canParse(origin) && new URL(origin).origin === origin;
    if (isOrigin) return origin;
    throw new TypeError(
      `origins must hold origins such as "https://www.example", got ${echo(origin)}`,
    );
  });
}

function parsePage(page: unknown): PageSettings | undefined {
  if (page === false) return undefined;
  const given = optionRecord("page", page, KNOWN_PAGE_OPTIONS);
  const minReporters = given.get("minReporters") ?? DEFAULT_MIN_REPORTERS;
  return {
    accessOf: createPageAccess(given.get("token")),
    policy: parsePolicy(given.get("policy")),
    minReporters: integerOption("page.minReporters", minReporters, { min: 1, max: MAX_REPORTERS }),
  };
}

function parsePolicy(policy: unknown): string | undefined {
  if (policy === undefined) return undefined;
  if (typeof policy !== "string") {
    throw new TypeError(`page.policy must be the text of a policy, got ${echo(policy)}`);
  }
  return proposePolicy({ policy, entries: [] }).policy;
}
