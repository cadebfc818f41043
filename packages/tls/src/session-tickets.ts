import { hkdfSync, randomBytes } from "node:crypto";
import { createListeners } from "./listeners.ts";
import { integerOption, requireKnownKeys } from "./options.ts";

/** Time as the rotation needs it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `task` once after `delayMs` without keeping the process alive; returns the function that cancels it. */
  after(delayMs: number, task: () => void): () => void;
}

export interface SessionTicketKeysOptions {
  /**
   * Secret that every worker and instance shares, at least 32 bytes; they then derive the same key
   * in the same period and resume each other's sessions.
   *
   * @default none: keys are random and known to this object alone
   */
  readonly secret?: string | Uint8Array | undefined;
  /**
   * Life of one key. Milliseconds, integer from one hour to seven days; 12 to 24 hours is usual.
   *
   * @default 43200000 (12 hours)
   * @see RFC 8446 section 4.6.1 (a ticket lives seven days at most)
   */
  readonly rotationMs?: number | undefined;
  /** @default the system's clock and timers */
  readonly clock?: Clock | undefined;
}

/** The key that seals session tickets, renewed on time. */
export interface SessionTicketKeys {
  /** Longest life of a ticket. Seconds. */
  readonly lifetimeSeconds: number;
  /** Returns the 48 bytes that `ticketKeys` of node:tls takes. */
  current(): Buffer;
  /** Calls `listener` after each rotation; returns the function that ends this. */
  onRotate(listener: () => void): () => void;
  /** Ends the rotation. */
  close(): void;
}

const KEY_BYTES = 48;
const MIN_SECRET_BYTES = 32;
const HOUR_MS = 3_600_000;
const ROTATION_MS = { min: HOUR_MS, max: 168 * HOUR_MS, default: 12 * HOUR_MS };

const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

const KNOWN_OPTIONS = {
  secret: true,
  rotationMs: true,
  clock: true,
} as const satisfies Record<keyof SessionTicketKeysOptions, true>;

/**
 * Returns ticket keys that rotate at multiples of `rotationMs` since 1970, so that instances sharing
 * a secret rotate together. Node holds one key only (nodejs/node#1465): tickets sealed before a
 * rotation cost their holder one full handshake, nothing else.
 *
 * @throws {TypeError} If an option is unknown or of the wrong type.
 * @throws {RangeError} If the secret is shorter than 32 bytes or `rotationMs` is out of range.
 * @see RFC 5077 section 5.5
 */
export function sessionTicketKeys(options: SessionTicketKeysOptions = {}): SessionTicketKeys {
  requireKnownKeys("sessionTicketKeys", options, KNOWN_OPTIONS);
  const rotationMs = integerOption("sessionTicketKeys.rotationMs", options.rotationMs, ROTATION_MS);
  const secret = options.secret === undefined ? undefined : secretBytes(options.secret);
  const clock = options.clock ?? SYSTEM_CLOCK;
  const listeners = createListeners();

  const periodNow = (): number => Math.floor(clock.now() / rotationMs);
  const keyOf = (period: number): Buffer =>
    secret === undefined ? randomBytes(KEY_BYTES) : derivedKey(secret, rotationMs, period);

  let period = periodNow();
  let key = keyOf(period);
  const rotate = (): void => {
    // A timer may fire a little early by the wall clock; the key changes with the period only.
    if (periodNow() !== period) {
      period = periodNow();
      key = keyOf(period);
      listeners.notify();
    }
    cancel = clock.after((period + 1) * rotationMs - clock.now(), rotate);
  };
  let cancel = clock.after((period + 1) * rotationMs - clock.now(), rotate);

  return {
    lifetimeSeconds: Math.floor(rotationMs / 1000),
    current: () => key,
    onRotate: (listener) => listeners.add(listener),
    close: () => {
      cancel();
    },
  };
}

function secretBytes(secret: string | Uint8Array): Buffer {
  if (typeof secret !== "string" && !(secret instanceof Uint8Array)) {
    throw new TypeError("sessionTicketKeys.secret must be a string or bytes");
  }
  const bytes = Buffer.from(secret);
  if (bytes.length < MIN_SECRET_BYTES) {
    throw new RangeError(
      `sessionTicketKeys.secret must have at least ${MIN_SECRET_BYTES} bytes, got ${bytes.length}`,
    );
  }
  return bytes;
}

function derivedKey(secret: Buffer, rotationMs: number, period: number): Buffer {
  const context = `hauberk session ticket key ${rotationMs} ${period}`;
  return Buffer.from(hkdfSync("sha256", secret, "", context, KEY_BYTES));
}
