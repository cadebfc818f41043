import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { parseCollectorOptions, type ReportCollectorOptions } from "./collector-options.ts";
import { proposePolicy } from "./policy-proposal.ts";
import { readBody } from "./report-body.ts";
import { createReportIntake, MAX_BODY_BYTES, type IntakeTotals } from "./report-intake.ts";
import { REPORT_PAGE_FIELDS, reportPage } from "./report-page.ts";
import type { ReportStore } from "./report-store.ts";

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** A middleware for Express 4 and 5, Connect, node:http, and the compatibility API of node:http2. */
export interface ReportCollector {
  (request: Request, response: Response, next: (error?: unknown) => void): void;
  /** Where the reports are. */
  readonly store: ReportStore;
  /** Returns what was taken and left out since the start of this process. */
  totals(): IntakeTotals;
}

const ALLOW_POST = "POST, OPTIONS";
const ALLOW_GET = "GET, HEAD, OPTIONS";
const RETRY_AFTER_SECONDS = "60";
/** Of the site's fields these do not apply: the page reports to nobody and, sandboxed, has no origin to share. */
const SITE_FIELDS = [
  "origin-agent-cluster",
  "content-security-policy-report-only",
  "permissions-policy-report-only",
  "reporting-endpoints",
  "etag",
  "last-modified",
];

/**
 * Returns a middleware that takes the reports of browsers below `path` and shows them at `path/`.
 * Requests elsewhere go to `next`. Mount it before body parsers, sessions and CSRF checks: browsers
 * send reports with cookies, without tokens and, from the Reporting API, without Sec-Fetch fields.
 *
 * - `POST path/<any name>`: `application/csp-report` or `application/reports+json`, at most 64 KB,
 *   of which 100 reports are read. Answered with 204, else 400, 413, 415, 429 or 503, never with content.
 * - `GET path/`: the page. Without a token only for this machine.
 *
 * @throws {TypeError | RangeError} If an option is unknown, malformed or out of range.
 */
export function reportCollector(options: ReportCollectorOptions = {}): ReportCollector {
  const settings = parseCollectorOptions(options);
  const { path, store, page, origins, onEvent, clock } = settings;
  const intake = createReportIntake({
    ...settings,
    onStoreFailure: (error) => {
      onEvent({ kind: "store-failed", error });
    },
  });

  async function take(request: Request, response: Response): Promise<void> {
    if (request.headers["content-encoding"] !== undefined) return answer(request, response, 415);
    const content = await readBody(request, MAX_BODY_BYTES);
    if (content === "aborted") return;
    if (content === "too-large") return answer(request, response, 413);
    const outcome = await intake.take({
      contentType: request.headers["content-type"],
      content,
      host: hostOf(request),
      client: settings.clientOf(request),
    });
    const status = outcome.kind === "stored" ? 204 : outcome.status;
    if (status === 429 || status === 503) response.setHeader("retry-after", RETRY_AFTER_SECONDS);
    answer(request, response, status);
  }

  async function show(request: Request, response: Response): Promise<void> {
    if (page === undefined) return answer(request, response, 404);
    const access = page.accessOf({
      peerAddress: request.socket.remoteAddress,
      host: hostOf(request),
      field: (name) => request.headers[name]?.toString(),
    });
    if (access !== "granted") {
      // Guessing a token is limited like sending reports.
      const decision = await settings.limiter?.consume(settings.clientOf(request));
      if (decision?.kind === "limited") return answer(request, response, 429);
      if (access === "denied") return answer(request, response, 403);
      response.setHeader("www-authenticate", 'Basic realm="Policy reports", charset="UTF-8"');
      return answer(request, response, 401);
    }
    const entries = await store.entries();
    const { policy, minReporters } = page;
    const proposal =
      policy === undefined ? undefined : proposePolicy({ policy, entries, minReporters });
    const text = reportPage({
      entries,
      totals: intake.totals(),
      proposal,
      minReporters,
      now: clock(),
    });
    for (const name of SITE_FIELDS) response.removeHeader(name);
    for (const [name, value] of Object.entries(REPORT_PAGE_FIELDS)) response.setHeader(name, value);
    end(request, response, 200, text);
  }

  function preflight(request: Request, response: Response, allow: string): void {
    const { origin } = request.headers;
    if (origin !== undefined && origins.includes(origin)) {
      response.setHeader("access-control-allow-origin", origin);
      response.setHeader("access-control-allow-methods", "POST");
      response.setHeader("access-control-allow-headers", "content-type");
      response.setHeader("vary", "origin");
    }
    response.setHeader("allow", allow);
    answer(request, response, 204);
  }

  async function collect(request: Request, response: Response, name: string): Promise<void> {
    const { method } = request;
    const isPage = name === "/";
    const allow = isPage ? ALLOW_GET : ALLOW_POST;
    if (method === "OPTIONS") preflight(request, response, allow);
    else if (isPage && (method === "GET" || method === "HEAD")) await show(request, response);
    else if (!isPage && method === "POST") await take(request, response);
    else {
      response.setHeader("allow", allow);
      answer(request, response, 405);
    }
  }

  async function serve(
    request: Request,
    response: Response,
    name: string,
    next: (error?: unknown) => void,
  ): Promise<void> {
    try {
      await collect(request, response, name);
    } catch (error) {
      next(error);
    }
  }

  const middleware = (
    request: Request,
    response: Response,
    next: (error?: unknown) => void,
  ): void => {
    const name = nameBelow(path, request);
    if (name === undefined) next();
    else void serve(request, response, name, next);
  };
  return Object.assign(middleware, { store, totals: intake.totals });
}

/** Returns what follows `path` in the address of a request, or undefined when that is elsewhere. */
function nameBelow(path: string, request: Request): string | undefined {
  // Express takes the place where a router is mounted off `url`.
  const original = "originalUrl" in request ? request.originalUrl : undefined;
  const target = typeof original === "string" ? original : (request.url ?? "");
  const [asked = ""] = target.split("?", 1);
  if (asked === path) return "/";
  return asked.startsWith(`${path}/`) ? asked.slice(path.length) : undefined;
}

function hostOf(request: Request): string | undefined {
  return "authority" in request ? request.authority : request.headers.host;
}

function answer(request: Request, response: Response, status: number): void {
  response.setHeader("cache-control", "no-store");
  end(request, response, status, "");
}

function end(request: Request, response: Response, status: number, text: string): void {
  response.statusCode = status;
  if (status !== 204) response.setHeader("content-length", Buffer.byteLength(text));
  // What is left of a body that nobody wants is not worth a connection.
  if (status === 413 && request.httpVersionMajor === 1) response.setHeader("connection", "close");
  if (request.method === "HEAD" || text === "") response.end();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both protocols' end() takes a text
  else (response as ServerResponse).end(text);
}
