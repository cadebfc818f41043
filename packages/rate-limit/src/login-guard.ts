import { setTimeout as sleepFor } from "node:timers/promises";
import { keyOf } from "./address-key.ts";
import { compositeKey } from "./composite-key.ts";
import { consumeAll } from "./consume-all.ts";
import type { PolicyCharge } from "./consume-all.ts";
import type { Eventually } from "./eventually.ts";
import { FailureLadder } from "./failure-ladder.ts";
import { ticksAt } from "./gcra.ts";
import { KnownSources } from "./known-sources.ts";
import { createLimiter, requireClock } from "./limiter.ts";
import type { Limiter } from "./limiter.ts";
import { MemoryStore } from "./memory-store.ts";
import { requireFunction, requireInteger, requireKnownKeys } from "./options.ts";
import { PendingAttempts } from "./pending-attempts.ts";
import { MAX_WINDOW_MS } from "./policy.ts";
import { normalizeUsername } from "./username.ts";
import { VerificationTime } from "./verification-time.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Failed logins that are allowed in a window. */
export interface FailureBudget {
  readonly limit: number;
  /** Milliseconds. */
  readonly windowMs: number;
}

/** Options of `createLoginGuard`. */
export interface LoginGuardOptions {
  /**
   * Failures in a row of one user from one address, or device, before delays begin. Integer from 1
   * to 1000.
   *
   * @default 5
   */
  readonly freeFailures?: number;
  /**
   * Delay after the last free failure; it doubles with every further one. Milliseconds, integer from 1.
   *
   * @default 15000
   */
  readonly firstDelayMs?: number;
  /**
   * The longest delay. Milliseconds, integer from 1 to 366 days.
   *
   * @default 3600000 (an hour)
   */
  readonly maxDelayMs?: number;
  /**
   * Time without a failure after which the failures in a row are forgotten. Milliseconds.
   *
   * @default 86400000 (a day)
   */
  readonly forgetAfterMs?: number;
  /**
   * Failures of one user from all addresses from which it has not logged in before.
   *
   * @default 100 in a day
   * @see NIST SP 800-63B section 5.2.2: no more than 100 consecutive failures
   */
  readonly perUser?: FailureBudget;
  /**
   * Failures from one address, over all users.
   *
   * @default 50 in an hour
   */
  readonly perAddress?: FailureBudget;
  /**
   * Failures from one network (IPv4 /24, IPv6 /48), over all users.
   *
   * @default 500 in an hour
   */
  readonly perNetwork?: FailureBudget;
  /**
   * Time for which an address from which a user has logged in is known. Milliseconds.
   *
   * @default 2592000000 (30 days)
   */
  readonly knownForMs?: number;
  /**
   * Attempts that may wait at once for the outcome of others. Integer from 1 to 1,000,000.
   *
   * @default 1000
   */
  readonly maxWaiting?: number;
  /**
   * Where failures are counted.
   *
   * @default a new MemoryStore
   */
  readonly store?: MemoryStore;
  /**
   * As that of `createLimiter`.
   *
   * @default performance.now
   */
  readonly clock?: () => number;
  /**
   * Returns a promise that is kept after so many milliseconds.
   *
   * @default setTimeout of node:timers/promises
   */
  readonly sleep?: (durationMs: number) => Promise<unknown>;
}

const LOGIN_GUARD_KEYS = {
  freeFailures: true,
  firstDelayMs: true,
  maxDelayMs: true,
  forgetAfterMs: true,
  perUser: true,
  perAddress: true,
  perNetwork: true,
  knownForMs: true,
  maxWaiting: true,
  store: true,
  clock: true,
  sleep: true,
} satisfies Record<keyof LoginGuardOptions, true>;

/** Who tries to log in. */
export interface LoginAttempt {
  /** As the user typed it: the guard counts under `normalizeUsername`. */
  readonly username: string;
  /** The client's address, as `clientAddress` returns it. */
  readonly address: string;
  /**
   * Identifies a device that this user has logged in from before, whatever its address. Give it only
   * when the client has proven it, for instance by a signed cookie.
   */
  readonly device?: string;
}

/** How an attempt to log in came out. */
export type LoginOutcome =
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed" }
  | {
      /** Not verified. Answer as if it had failed, or an attacker learns that the lock is on. */
      readonly kind: "limited";
      readonly retryAfterMs: number;
    };

/** Stands before the verification of passwords. */
export interface LoginGuard {
  /**
   * Calls `verify`, which tells whether the password is right, unless there have been too many
   * failures; then it answers after the time that a verification usually takes.
   *
   * A failure is reserved before `verify` and given back when it returns true, so guesses in parallel
   * share one budget; an attempt that finds the budget reserved waits for the outcome of the others.
   * An error of `verify` is passed on and counts as no failure.
   *
   * @throws {TypeError} If the attempt has the wrong shape, or `verify` returns no boolean.
   * @throws The reason of `signal`, when it is aborted while the attempt waits for others.
   */
  attempt(
    attempt: LoginAttempt,
    verify: () => Eventually<boolean>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<LoginOutcome>;
  /** Forgets the failures of a user, from its device or address and from all others. */
  forget(attempt: LoginAttempt): void;
  /** Returns the outcomes so far, and the attempts that are waiting. */
  metrics(): Readonly<Record<LoginOutcome["kind"] | "waiting", number>>;
}

/** One attempt, under the names by which it is counted. */
interface Candidate {
  /** The user from this address or device. */
  readonly source: string;
  /** The failure that it reserves in each budget. */
  readonly charges: readonly PolicyCharge[];
  /** All that it shares with other attempts. */
  readonly keys: readonly string[];
}

/** Whether an attempt may be verified now, has to wait for others, or is refused. */
type Admission =
  | { readonly kind: "admitted" }
  | { readonly kind: "waiting"; readonly key: string }
  | { readonly kind: "limited"; readonly retryAfterMs: number };

/**
 * Returns a guard against password guessing that does not lock out the one it protects.
 *
 * Failures are counted per user and address, with growing delays; per user; per address; and per
 * network. The user's own budget binds only where the user has not logged in from before: an
 * attacker who uses it up does not shut out the user's known addresses and devices. A success
 * forgets the failures of this user from this address, and none of the address with other users.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type.
 * @throws {RangeError} If a number is out of range.
 */
export function createLoginGuard(options: LoginGuardOptions = {}): LoginGuard {
  requireKnownKeys("login guard", options, LOGIN_GUARD_KEYS);
  const guard = new Guard(options);
  return Object.freeze({
    attempt: guard.attempt.bind(guard),
    forget: guard.forget.bind(guard),
    metrics: guard.metrics.bind(guard),
  });
}

class Guard {
  readonly #clock: () => number;
  readonly #sleep: (durationMs: number) => Promise<unknown>;
  readonly #ladder: FailureLadder;
  readonly #known: KnownSources;
  readonly #perUser: Limiter;
  readonly #perAddress: Limiter;
  readonly #perNetwork: Limiter;
  readonly #pending: PendingAttempts;
  readonly #freeFailures: number;
  readonly #verificationTime: VerificationTime = new VerificationTime();
  readonly #outcomes: Record<LoginOutcome["kind"], number> = {
    succeeded: 0,
    failed: 0,
    limited: 0,
  };

  constructor(options: LoginGuardOptions) {
    const duration = (
      name: "firstDelayMs" | "maxDelayMs" | "forgetAfterMs" | "knownForMs",
      value: number,
    ): number => requireInteger(name, options[name] ?? value, 1, MAX_WINDOW_MS);
    requireFunction("sleep", options.sleep);
    const store = options.store ?? new MemoryStore();
    this.#clock = requireClock(options.clock);
    this.#sleep = options.sleep ?? sleepFor;
    this.#freeFailures = requireInteger("freeFailures", options.freeFailures ?? 5, 1, 1000);
    this.#ladder = new FailureLadder(
      {
        freeFailures: this.#freeFailures,
        firstDelayMs: duration("firstDelayMs", 15_000),
        maxDelayMs: duration("maxDelayMs", HOUR_MS),
        forgetAfterMs: duration("forgetAfterMs", DAY_MS),
      },
      store,
    );
    const budget = (name: string, { limit, windowMs }: FailureBudget): Limiter =>
      createLimiter({ name: `login ${name}`, limit, windowMs }, { store, clock: this.#clock });
    this.#perUser = budget("user", options.perUser ?? { limit: 100, windowMs: DAY_MS });
    this.#perAddress = budget("address", options.perAddress ?? { limit: 50, windowMs: HOUR_MS });
    this.#perNetwork = budget("network", options.perNetwork ?? { limit: 500, windowMs: HOUR_MS });
    // Apart from the failures: a month is the largest debt of all, and would push those out.
    this.#known = new KnownSources(duration("knownForMs", 30 * DAY_MS), new MemoryStore());
    this.#pending = new PendingAttempts(
      requireInteger("maxWaiting", options.maxWaiting ?? 1000, 1, 1_000_000),
    );
  }

  async attempt(
    attempt: LoginAttempt,
    verify: () => Eventually<boolean>,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<LoginOutcome> {
    const candidate = this.#candidateOf(attempt);
    const startMs = this.#clock();
    let admission = this.#admit(candidate);
    while (admission.kind === "waiting") {
      if (this.#pending.isFull) {
        admission = { kind: "limited", retryAfterMs: 1000 };
        break;
      }
      await this.#pending.ended(admission.key, signal);
      admission = this.#admit(candidate);
    }
    if (admission.kind === "limited") {
      this.#outcomes.limited++;
      const elapsedMs = this.#clock() - startMs;
      await this.#sleep(Math.max(this.#verificationTime.typicalMs() - elapsedMs, 0));
      return admission;
    }
    const isRight = await this.#verified(candidate, verify);
    const kind = isRight ? "succeeded" : "failed";
    this.#outcomes[kind]++;
    return { kind };
  }

  forget(attempt: LoginAttempt): void {
    const { source } = this.#candidateOf(attempt);
    this.#ladder.forget(source);
    this.#perUser.reset(normalizeUsername(attempt.username));
  }

  metrics(): Readonly<Record<LoginOutcome["kind"] | "waiting", number>> {
    return { ...this.#outcomes, waiting: this.#pending.waiting };
  }

  #candidateOf({ username, address, device }: LoginAttempt): Candidate {
    const user = normalizeUsername(requireText("username", username));
    const client = keyOf(requireText("address", address), 64);
    const source =
      device === undefined
        ? compositeKey("address", user, client)
        : compositeKey("device", user, requireText("device", device));
    const charges: PolicyCharge[] = [
      { limiter: this.#perAddress, key: client },
      { limiter: this.#perNetwork, key: networkKey(address) },
    ];
    const isKnown = device !== undefined || this.#known.includes(source, this.#now());
    if (!isKnown) charges.push({ limiter: this.#perUser, key: user });
    return { source, charges, keys: [source, ...charges.map(pendingKey)] };
  }

  /** Reserves a failure everywhere, or tells why not. */
  #admit({ source, charges, keys }: Candidate): Admission {
    const now = this.#now();
    const pending = this.#pending.count(source);
    if (pending > 0 && this.#ladder.failures(source, now) + pending >= this.#freeFailures) {
      return { kind: "waiting", key: source };
    }
    const waitMs = this.#ladder.waitMs(source, now);
    if (waitMs > 0) return { kind: "limited", retryAfterMs: waitMs };
    const decision = consumeAll(charges);
    if (decision.kind === "limited") {
      const full = charges.filter(
        (_, index) => decision.decisions[index]!.decision.kind === "limited",
      );
      const reserved = full.map(pendingKey).find((key) => this.#pending.count(key) > 0);
      if (reserved !== undefined) return { kind: "waiting", key: reserved };
      return { kind: "limited", retryAfterMs: decision.retryAfterMs };
    }
    this.#pending.begin(keys);
    return { kind: "admitted" };
  }

  async #verified(candidate: Candidate, verify: () => Eventually<boolean>): Promise<boolean> {
    const startMs = this.#clock();
    let isRight: unknown;
    try {
      isRight = await verify();
      if (typeof isRight !== "boolean") {
        throw new TypeError(
          `"verify" must return a boolean, got a value of type ${typeof isRight}`,
        );
      }
      this.#verificationTime.note(this.#clock() - startMs);
      if (!isRight) this.#ladder.add(candidate.source, this.#now());
      else this.#succeed(candidate);
      return isRight;
    } finally {
      if (isRight !== false) {
        for (const { limiter, key } of candidate.charges) limiter.refund(key);
      }
      this.#pending.end(candidate.keys);
    }
  }

  #succeed({ source }: Candidate): void {
    this.#ladder.forget(source);
    this.#known.add(source, this.#now());
  }

  #now(): number {
    return ticksAt(this.#clock());
  }
}

function pendingKey({ limiter, key }: PolicyCharge): string {
  return compositeKey(limiter.policy.name, key);
}

/** An IPv4 /24 or an IPv6 /48. */
function networkKey(address: string): string {
  const key = keyOf(address, 48);
  return /^\d+\.\d+\.\d+\.\d+$/.test(key) ? key.slice(0, key.lastIndexOf(".")) : key;
}

function requireText(path: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new TypeError(`"${path}" must be a string, got a value of type ${typeof value}`);
}
