import type { CertificateFiles } from "./certificate-files.ts";
import { filesFingerprint, readCertificateFiles } from "./certificate-files.ts";
import type { CertificatePair, CertificatePairDetails } from "./certificate-pair.ts";
import { validateCertificatePair } from "./certificate-pair.ts";
import type { CertificateSource } from "./certificate-source.ts";
import { TlsError } from "./errors.ts";
import { createListeners } from "./listeners.ts";
import { integerOption, requireKnownKeys } from "./options.ts";
import { serverNameLookup } from "./sni.ts";

/** What a look at the files found out. */
export type CertificateWatcherEvent =
  | (CertificateFiles & {
      readonly kind: "replaced";
      readonly details: CertificatePairDetails;
    })
  | (CertificateFiles & {
      /** The files changed but cannot be used; the previous pair stays in place. */
      readonly kind: "rejected";
      readonly error: TlsError;
    });

export interface CertificateWatcherOptions {
  /** Called once for each replaced pair and once for each distinct refusal. Must not throw. */
  readonly onEvent?: ((event: CertificateWatcherEvent) => void) | undefined;
  /** Current time in milliseconds since 1970. @default Date.now */
  readonly now?: (() => number) | undefined;
  /**
   * Time between two looks at the files. Milliseconds, integer from 10 to 86400000.
   * A change counts once it has held still for one interval, so it takes one to two intervals to show.
   *
   * @default 5000
   */
  readonly intervalMs?: number | undefined;
  /** Closes the watcher when aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** A certificate source that follows its files until closed. It does not keep the process alive. */
export interface CertificateWatcher extends CertificateSource {
  /** Looks at the files now, without waiting for them to hold still; resolves with what changed. */
  reload(): Promise<readonly CertificateWatcherEvent[]>;
  /** Stops looking; the source keeps answering with the last good pairs. */
  close(): void;
}

interface WatchedPair {
  readonly files: CertificateFiles;
  pair: CertificatePair;
  details: CertificatePairDetails;
  /** Fingerprint of the files `pair` was read from. */
  loaded: string;
  /** Fingerprint at the last look. */
  seen: string;
  /** Fingerprint and code of the refusal last reported. */
  refused: string | undefined;
}

const KNOWN_OPTIONS = {
  onEvent: true,
  now: true,
  intervalMs: true,
  signal: true,
} as const satisfies Record<keyof CertificateWatcherOptions, true>;

const INTERVAL_MS = { min: 10, max: 86_400_000, default: 5_000 };

/**
 * Returns a source that reads each pair of files now and again whenever they change: rewritten,
 * replaced by rename, or behind a swapped symbolic link. A pair that cannot be used (half-written,
 * swapped, expired, key of another certificate) is refused and the previous one stays until the
 * files are right again. The first pair is the default.
 *
 * @throws {TypeError | RangeError} If an option is unknown or out of range, or `files` is empty.
 * @throws {TlsError} If a pair cannot be used at the start; ERR_TLS_FILE_UNREADABLE or as `validateCertificatePair` says.
 */
export async function watchCertificates(
  files: readonly CertificateFiles[],
  options: CertificateWatcherOptions = {},
): Promise<CertificateWatcher> {
  requireKnownKeys("watchCertificates", options, KNOWN_OPTIONS);
  const intervalMs = integerOption("watchCertificates.intervalMs", options.intervalMs, INTERVAL_MS);
  const { signal, onEvent, now } = options;
  if (files.length === 0)
    throw new TypeError("watchCertificates() needs at least one pair, got []");
  signal?.throwIfAborted();

  const watched = await Promise.all(files.map((entry) => firstLook(entry, now)));
  signal?.throwIfAborted();
  const listeners = createListeners();
  let lookup = serverNameLookup(watched.map(named));
  let isClosed = false;
  let lastLook: Promise<unknown> = Promise.resolve();

  const look = async (isForced: boolean): Promise<readonly CertificateWatcherEvent[]> => {
    const found = await Promise.all(watched.map((entry) => lookAgain(entry, now, isForced)));
    const events = found.filter((event) => event !== undefined);
    if (isClosed) return [];
    if (events.some((event) => event.kind === "replaced")) {
      lookup = serverNameLookup(watched.map(named));
      listeners.notify();
    }
    for (const event of events) onEvent?.(event);
    return events;
  };
  const lookInTurn = (isForced: boolean): Promise<readonly CertificateWatcherEvent[]> => {
    const next = lastLook.then(() => look(isForced));
    lastLook = next.catch(() => undefined);
    return next;
  };
  const stop = repeat(() => lookInTurn(false), intervalMs);
  const close = (): void => {
    isClosed = true;
    stop();
    signal?.removeEventListener("abort", close);
  };
  signal?.addEventListener("abort", close, { once: true });
  return {
    certificateFor: (serverName) => lookup(serverName),
    onChange: (listener) => listeners.add(listener),
    reload: () => lookInTurn(true),
    close,
  };
}

/**
 * Runs `task` again and again, `intervalMs` after it has finished; returns the function that ends this.
 * fs.watch would be quicker, but it sees nothing on network file systems and stays with the old inode
 * of a replaced folder; four stat calls every five seconds cost nothing measurable.
 */
function repeat(task: () => Promise<unknown>, intervalMs: number): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const schedule = (): void => {
    if (isStopped) return;
    timer = setTimeout(() => void task().finally(schedule), intervalMs).unref();
  };
  schedule();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

function named({ pair, details }: WatchedPair) {
  return { pair, serverNames: details.serverNames };
}

async function firstLook(files: CertificateFiles, now: CertificateWatcherOptions["now"]) {
  const seen = await filesFingerprint(files);
  const loaded = await loadPair(files, now);
  return { files, ...loaded, loaded: seen, seen, refused: undefined } satisfies WatchedPair;
}

async function loadPair(files: CertificateFiles, now: CertificateWatcherOptions["now"]) {
  const pair = await readCertificateFiles(files);
  try {
    return { pair, details: validateCertificatePair(pair, { now }) };
  } catch (cause) {
    if (!(cause instanceof TlsError)) throw cause;
    const where = `${JSON.stringify(files.certFile)} with ${JSON.stringify(files.keyFile)}`;
    throw new TlsError(cause.code, `Cannot load ${where}: ${cause.message}`, { cause });
  }
}

/** Brings `entry` up to date with its files; returns what is worth telling. */
async function lookAgain(
  entry: WatchedPair,
  now: CertificateWatcherOptions["now"],
  isForced: boolean,
): Promise<CertificateWatcherEvent | undefined> {
  const seen = await filesFingerprint(entry.files);
  const heldStill = seen === entry.seen;
  entry.seen = seen;
  if (!isForced && (seen === entry.loaded || !heldStill)) return undefined;
  try {
    const { pair, details } = await loadPair(entry.files, now);
    entry.loaded = seen;
    entry.refused = undefined;
    if (pair.key === entry.pair.key && pair.cert === entry.pair.cert) return undefined;
    entry.pair = pair;
    entry.details = details;
    return { kind: "replaced", ...entry.files, details };
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    const refused = `${seen} ${error.code}`;
    if (!isForced && refused === entry.refused) return undefined;
    entry.refused = refused;
    return { kind: "rejected", ...entry.files, error };
  }
}
