import { pino } from "pino";

/** What the access log says of one response. */
export interface AccessRecord {
  readonly address: string;
  readonly method: string;
  readonly target: string;
  readonly protocol: string;
  readonly host: string;
  readonly status: number;
  /** Content bytes of the whole response; undefined when an application did not say. */
  readonly bytes: number | undefined;
  readonly durationMs: number;
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
  /** True when the client left before the response was complete. */
  readonly isAborted: boolean;
}

export interface AccessLog {
  write(record: AccessRecord): void;
  /** Writes what is buffered; the promise never rejects. */
  close(): Promise<void>;
}

export type AccessLogFormat = "json" | "combined" | "off";

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const FLUSH_INTERVAL_MS = 200;

/**
 * Returns a log that writes one line per response to a file descriptor: JSON, or the Combined Log Format.
 * Lines are buffered for at most 200 ms and written outside the request path; a full disk or closed pipe
 * costs lines, not requests, and is reported once through `onError`.
 */
export function createAccessLog(
  format: AccessLogFormat,
  fileDescriptor: number,
  onError: (error: Error) => void,
): AccessLog {
  if (format === "off") return { write: () => undefined, close: () => Promise.resolve() };
  const destination = pino.destination({
    dest: fileDescriptor,
    sync: false,
    minLength: 4096,
    periodicFlush: FLUSH_INTERVAL_MS,
  });
  destination.once("error", onError);
  destination.on("error", () => undefined);
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  return {
    write(record) {
      if (format === "json") logger.info(record);
      else destination.write(combinedLogLine(record, new Date()));
    },
    close: () =>
      new Promise((resolve) => {
        destination.flush(() => {
          resolve();
        });
      }),
  };
}

/**
 * Returns a line of Apache's and nginx's Combined Log Format. Control characters, quotes, backslashes and
 * everything outside ASCII are escaped as `\xHH`, so that no request can forge a line.
 */
function combinedLogLine(record: AccessRecord, time: Date): string {
  const request = `${record.method} ${record.target} ${record.protocol}`;
  const isKnown = record.bytes !== undefined && !record.isAborted;
  const bytes = isKnown ? String(record.bytes) : "-";
  const quoted = [record.referer, record.userAgent].map((text) => `"${escape(text ?? "-")}"`);
  return `${record.address} - - [${clfTime(time)}] "${escape(request)}" ${record.status} ${bytes} ${quoted.join(" ")}\n`;
}

/** Returns the Content-Length that an application's response announced, if it did. */
export function announcedBytes(
  response: { getHeader(name: string): unknown } | undefined,
): number | undefined {
  const length = response?.getHeader("content-length");
  return length === undefined ? undefined : Number(length);
}

function clfTime(time: Date): string {
  const [date = "", clock = ""] = time.toISOString().split("T");
  const [year, , day] = date.split("-");
  return `${day}/${MONTHS[time.getUTCMonth()]}/${year}:${clock.slice(0, 8)} +0000`;
}

function escape(text: string): string {
  return text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/gu, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );
}
