import { banLogLine } from "@hauberk/rate-limit";
import type { ReportStore } from "@hauberk/headers/reports";
import {
  createServer,
  nodeReleaseWarning,
  requireRoot,
  type ServerAddresses,
  type ServerConfig,
  type ServerEvent,
} from "@hauberk/server";
import { choice, parseCommand, wholeNumber } from "./command.ts";
import { misuse } from "./misuse.ts";
import { passphrase } from "./passphrase.ts";
import { untilSignal } from "./signals.ts";

const OPTIONS = {
  port: { type: "string" },
  "http-port": { type: "string" },
  host: { type: "string" },
  cert: { type: "string" },
  key: { type: "string" },
  "tls-profile": { type: "string" },
  preset: { type: "string" },
  limit: { type: "string" },
  "trusted-proxy": { type: "string", multiple: true },
  reports: { type: "string" },
  integrity: { type: "boolean" },
  log: { type: "string" },
} as const;

/** A renewed certificate is served after two of these. */
const CERTIFICATE_CHECK_MS = 1000;

type Values = ReturnType<typeof parseCommand<typeof OPTIONS>>["values"];

interface ServingCertificate {
  readonly source: ServerConfig["certificate"];
  /** The CA to trust, when the certificate is one made for development. */
  readonly caFile?: string;
  close(): void;
}

/** `hauberk serve`: serves a folder until SIGINT or SIGTERM, then finishes what is in flight. */
export async function serve(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseCommand(args, OPTIONS);
  const [root = ".", ...others] = positionals;
  if (others.length > 0) throw misuse(`serve takes one folder, not ${positionals.length}`);
  requireRoot(root);
  const options = await serverOptions(values);
  const reports = await reportStore(values.reports);
  const certificate = await servingCertificate(values);
  const isDevelopment = certificate.caFile !== undefined;
  const server = createServer({
    ...options,
    root,
    certificate: certificate.source,
    host: values.host ?? (isDevelopment ? "localhost" : "::"),
    headers: {
      ...options.headers,
      // A browser that remembers HSTS for localhost refuses every other plain HTTP server there.
      ...(isDevelopment && { strictTransportSecurity: false }),
    },
    ...(reports !== undefined && { reports: { store: reports, ...reportsToken() } }),
    onEvent: reportEvent,
  });
  const stopped = untilSignal(() => {
    process.stderr.write("hauberk: finishing the requests in flight; once more to stop at once\n");
  });
  try {
    const addresses = await server.listen();
    announce(addresses, root, certificate.caFile, options.log === "json");
    await stopped;
  } finally {
    await server.close();
    certificate.close();
    await reports?.close();
  }
}

async function reportStore(file: string | undefined): Promise<ReportStore | undefined> {
  if (file === undefined) return undefined;
  const { openReportStore } = await import("@hauberk/headers/reports");
  return openReportStore(file);
}

/** An argument could be read by every user of the machine. */
function reportsToken(): { readonly token?: string } {
  const { HAUBERK_REPORTS_TOKEN: token } = process.env;
  return token === undefined || token === "" ? {} : { token };
}

async function serverOptions(
  values: Values,
): Promise<Partial<ServerConfig> & Pick<ServerConfig, "log">> {
  const httpPort = values["http-port"] ?? "8080";
  return {
    port: wholeNumber("--port", values.port ?? "8443", 0, 65_535),
    httpPort: httpPort === "off" ? false : wholeNumber("--http-port", httpPort, 0, 65_535),
    tlsProfile: choice("--tls-profile", values["tls-profile"] ?? "intermediate", [
      "intermediate",
      "modern",
    ]),
    headers: {
      preset: choice("--preset", values.preset ?? "site", ["site", "strict", "spa", "api"]),
    },
    rateLimit: await rateLimit(values.limit ?? "off"),
    pages: { integrity: values.integrity === true },
    trustedProxies: await trustedProxies(values["trusted-proxy"] ?? []),
    log: choice("--log", values.log ?? "combined", ["json", "combined", "off"]),
  };
}

async function trustedProxies(cidrs: readonly string[]): Promise<readonly string[]> {
  if (cidrs.length === 0) return cidrs;
  const limits = await import("@hauberk/rate-limit");
  return naming("--trusted-proxy", () => (limits.trustedProxies(cidrs), cidrs));
}

async function rateLimit(text: string): Promise<NonNullable<ServerConfig["rateLimit"]>> {
  if (text === "off") return false;
  const { parseRate } = await import("@hauberk/rate-limit");
  return naming("--limit", () => parseRate(text));
}

/** Returns what `parse` returns; its complaint names the option. */
function naming<T>(option: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw misuse(`${option}: ${reason}`, { cause: error });
  }
}

async function servingCertificate({ cert, key }: Values): Promise<ServingCertificate> {
  if ((cert === undefined) !== (key === undefined)) {
    throw misuse(
      `--cert and --key go together; ${cert === undefined ? "--cert" : "--key"} is missing`,
    );
  }
  if (cert !== undefined && key !== undefined) {
    const { watchCertificates } = await import("@hauberk/tls");
    const watcher = await watchCertificates([{ certFile: cert, keyFile: key }], {
      intervalMs: CERTIFICATE_CHECK_MS,
      onEvent(event) {
        const reason = event.kind === "rejected" ? `: ${event.error.message}` : "";
        process.stderr.write(`hauberk: certificate ${event.kind}: ${event.certFile}${reason}\n`);
      },
    });
    return {
      source: watcher,
      close() {
        watcher.close();
      },
    };
  }
  return developmentCertificate();
}

/** Renewed while the server runs. */
async function developmentCertificate(): Promise<ServingCertificate> {
  const [{ keepDevCertificate }, { LOCAL_NAMES, LOOK_MS, reportRenewal }, report] =
    await Promise.all([import("@hauberk/cert"), import("./cert.ts"), import("./cert-report.ts")]);
  const keeper = await keepDevCertificate(LOCAL_NAMES, {
    lookEveryMs: LOOK_MS,
    passphrase: passphrase(undefined, false),
    onEvent(event) {
      reportRenewal(event, process.stderr);
    },
  });
  const certificate = keeper.certificateFor();
  if (certificate.status !== "reused") {
    const advice = report.trustAdvice(certificate.caFile);
    process.stderr.write(`${report.describe(certificate)}\n${advice}\n`);
  }
  return {
    source: keeper,
    caFile: certificate.caFile,
    close: () => {
      keeper.close();
    },
  };
}

function announce(
  { https, http }: ServerAddresses,
  root: string,
  caFile: string | undefined,
  isStdoutForLog: boolean,
): void {
  const warning = nodeReleaseWarning();
  if (warning !== undefined) process.stderr.write(`hauberk: WARNING: ${warning}\n`);
  const lines = [
    `Serving ${root}`,
    `  ${https}`,
    ...(http === undefined ? [] : [`  ${http} redirects there`]),
    ...(caFile === undefined ? [] : [`  CA to trust: ${caFile}`]),
    "Stop with Ctrl+C",
  ];
  (isStdoutForLog ? process.stderr : process.stdout).write(`${lines.join("\n")}\n`);
}

function reportEvent(event: ServerEvent): void {
  if (event.kind === "connection-refused") {
    process.stderr.write(`${banLogLine(event.refusal, new Date())}\n`);
    return;
  }
  const { error } = event;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`hauberk: ${event.kind}: ${message}\n`);
}
