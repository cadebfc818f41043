import type { IncomingMessage } from "node:http";
import { type CompiledHeaders, compileSecurityHeaders } from "@hauberk/headers";
import { type ReportCollector, reportCollector, reportingHeaders } from "@hauberk/headers/reports";
import { addressKey, createLimiter } from "@hauberk/rate-limit";
import type { Application, ReportsConfig, ServerSettings } from "./config.ts";

/** Below it reports are taken and shown. */
const REPORTS_PATH = "/.well-known/reports";

/** Browsers send one body for all that a visit violates: this is a visit a second. */
const LIMIT = { name: "reports", limit: 60, windowMs: 60_000 } as const;

/** Returns a client's address, behind trusted proxies if there are any. */
type AddressReader = (
  remoteAddress: string | undefined,
  field: (name: string) => string | undefined,
) => string;

/** Returns the settings with headers that make browsers report, if reports are wanted. */
export function withReporting(settings: ServerSettings): ServerSettings {
  if (settings.reports === false) return settings;
  return { ...settings, headers: reportingHeaders(settings.headers, REPORTS_PATH) };
}

/** Returns the collector that `reports` of the configuration asks for. */
export function createCollector(
  reports: ReportsConfig,
  settings: ServerSettings,
  addressOf: AddressReader,
): ReportCollector {
  const { store, token, origins, minReporters } = reports;
  const policy = policyOf(compileSecurityHeaders(settings.headers));
  return reportCollector({
    path: REPORTS_PATH,
    ...(store !== undefined && { store }),
    ...(origins !== undefined && { origins }),
    limiter: createLimiter(LIMIT, { clock: settings.clock }),
    clientOf: ({ socket, headers }) =>
      addressKey(addressOf(socket.remoteAddress, (name) => headers[name]?.toString())),
    page: {
      ...(token !== undefined && { token }),
      ...(policy !== undefined && { policy }),
      ...(minReporters !== undefined && { minReporters }),
    },
    onEvent: ({ error }) => {
      settings.onEvent({ kind: "reports-lost", error });
    },
  });
}

/** Returns an application that gives the collector what is its own, and the rest to `app`. */
export function withCollector(
  collector: ReportCollector,
  app: Application | undefined,
): Application {
  return (request, response) =>
    isReportTarget(request)
      ? new Promise((resolve, reject) => {
          response.once("close", resolve);
          collector(request, response, reject);
        })
      : app?.(request, response);
}

/** Whether a path, without its query, belongs to the collector. */
export function isReportPath(path: string): boolean {
  return path === REPORTS_PATH || path.startsWith(`${REPORTS_PATH}/`);
}

function isReportTarget({ url = "" }: IncomingMessage): boolean {
  return isReportPath(url.split("?", 1)[0] ?? "");
}

function policyOf(headers: CompiledHeaders): string | undefined {
  const fields = headers.fields({ secure: true });
  const index = fields.findIndex((name) => name.startsWith("content-security-policy"));
  return index === -1 ? undefined : fields[index + 1];
}
