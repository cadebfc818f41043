import { devCertificate, type DevCertificate } from "./dev-certificate.ts";
import type { DevCertificateOptions } from "./dev-certificate-options.ts";
import { integerOption } from "./options.ts";

/** After a failure, not later than this: a full disk or a suspended lock holder may be gone soon. */
const RETRY_MS = 60_000;
const MAX_LOOK_MS = 3_600_000;

/** What a look at the certificate came to. */
export type KeepEvent =
  | { readonly kind: "renewed"; readonly certificate: DevCertificate }
  /** Once for each reason. The present certificate stays; the next look is at most a minute away. */
  | { readonly kind: "failed"; readonly error: unknown };

/** Options of `keepDevCertificate`: those of `devCertificate`, of which `force` counts once. */
export interface KeepDevCertificateOptions extends Omit<DevCertificateOptions, "now" | "signal"> {
  /** Ends the wait for another process, and the renewal. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Longest time between two looks at the certificate. Milliseconds, integer 10 to 3600000.
   * Timers stand still while a laptop sleeps, so a look that is due may come later by this.
   *
   * @default 3600000
   */
  readonly lookEveryMs?: number | undefined;
  /** Called after a certificate has changed or could not be renewed. Must not throw. */
  readonly onEvent?: ((event: KeepEvent) => void) | undefined;
  /**
   * Present time in milliseconds since 1970.
   *
   * @default Date.now
   */
  readonly clock?: (() => number) | undefined;
}

/** A development certificate that is renewed until closed. It does not keep the process alive. */
export interface KeptDevCertificate {
  /** Returns the present certificate, whatever the name; the same object until it changes. */
  certificateFor(serverName?: string): DevCertificate;
  /** Calls `listener` after the certificate has changed; returns the function that ends this. */
  onChange(listener: () => void): () => void;
  /** Ends the renewal; the last certificate stays available. */
  close(): void;
}

/**
 * Returns what `devCertificate` does and renews it before it ends, as long as the process lives. Looks at
 * least every hour, so that a clock that jumps, a laptop that slept, a new CA and a file that somebody
 * removed or renewed are all noticed. What it returns is a certificate source for `@hauberk/tls`.
 *
 * @throws {TypeError | RangeError} If a name or an option is malformed or out of range
 * @throws {CertError} what `devCertificate` throws; later failures go to `onEvent`
 */
export async function keepDevCertificate(
  names: readonly string[],
  options: KeepDevCertificateOptions = {},
): Promise<KeptDevCertificate> {
  const { lookEveryMs, onEvent, clock = Date.now, force, ...kept } = options;
  const range = { fallback: MAX_LOOK_MS, min: 10, max: MAX_LOOK_MS };
  const intervalMs = integerOption("lookEveryMs", lookEveryMs, range);
  const obtain = (isForced: boolean | undefined): Promise<DevCertificate> =>
    devCertificate(names, { ...kept, force: isForced, now: new Date(clock()) });

  let current = await obtain(force);
  const listeners = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let lastFailure: string | undefined;

  const look = async (): Promise<number> => {
    try {
      const certificate = await obtain(false);
      lastFailure = undefined;
      if (isClosed || certificate.cert === current.cert) return intervalMs;
      current = certificate;
      for (const listener of listeners) listener();
      onEvent?.({ kind: "renewed", certificate });
      return intervalMs;
    } catch (error) {
      const failure = String(error);
      if (!isClosed && failure !== lastFailure) onEvent?.({ kind: "failed", error });
      lastFailure = failure;
      return Math.min(intervalMs, RETRY_MS);
    }
  };
  const schedule = (waitMs: number): void => {
    if (isClosed) return;
    timer = setTimeout(() => void look().then(schedule), waitMs).unref();
  };
  const close = (): void => {
    isClosed = true;
    clearTimeout(timer);
    kept.signal?.removeEventListener("abort", close);
  };
  kept.signal?.addEventListener("abort", close, { once: true });
  schedule(intervalMs);
  return {
    certificateFor: () => current,
    onChange(listener) {
      // A listener of its own, so that the same function given twice is called twice and ended once.
      const own = (): void => {
        listener();
      };
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    close,
  };
}
