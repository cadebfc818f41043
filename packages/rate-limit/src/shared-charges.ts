import type { BreakerState } from "./circuit-breaker.ts";
import type { JointDecision, PolicyDecision } from "./consume-all.ts";
import { Deadline } from "./deadline.ts";
import type { Decision, SharedDecision } from "./decision.ts";
import { RateLimitError } from "./errors.ts";
import { gcraMeter } from "./gcra-meter.ts";
import type { Meter } from "./meter.ts";
import type { LimiterMetrics } from "./metrics.ts";
import { policyInterval } from "./policy.ts";
import type { CompletePolicy } from "./policy.ts";
import type { Charge, SharedStore } from "./shared-store.ts";
import type { PolicyCost, StandIn } from "./stand-in.ts";

/** What to do about a request when the store does not answer. */
export type UnavailableAction = "fail-open" | "fail-closed" | "fallback";

export interface SharedChargesSettings {
  readonly store: SharedStore & {
    readonly breakerState?: BreakerState;
    /** Declared by a store that never takes longer. */
    readonly deadlineMs?: number;
  };
  /** Longest wait for the store, whatever it does. Milliseconds. */
  readonly deadlineMs: number;
  readonly actionOf: (policyName: string) => UnavailableAction;
  /** undefined when no policy falls back. */
  readonly standIn: StandIn | undefined;
  readonly onUnavailable: (error: RateLimitError, decision: SharedDecision) => void;
}

interface Counts {
  admitted: number;
  limited: number;
  unavailable: number;
  fallback: number;
}

/** A policy's arithmetic, fed with debts that a store has answered. */
interface Reader {
  /** Of all policies with the name. */
  readonly counts: Counts;
  readonly interval: number;
  readonly capacity: number;
  /** Decides with `debt`, that of the key with its cost, which was charged. */
  charged(debt: number, cost: number): Decision;
  /** Decides with `debt`, that of the key alone. */
  read(debt: number, cost: number): Decision;
}

/**
 * Charges policies in a store that processes share, and decides by its answers; or without them,
 * when there are none. Arguments have been checked.
 */
export class SharedCharges {
  readonly #settings: SharedChargesSettings;
  readonly #deadline: Deadline;
  readonly #readers = new WeakMap<CompletePolicy, Reader>();
  #lastPolicy: CompletePolicy | undefined;
  #lastReader: Reader | undefined;
  /** Bounded by the policies of the program. */
  readonly #counts = new Map<string, Counts>();
  /** Whether the store did not answer when it was last asked. */
  #isWithoutStore = false;

  constructor(settings: SharedChargesSettings) {
    this.#settings = settings;
    this.#deadline = new Deadline(settings.deadlineMs, () =>
      unavailable(new Error(`no answer within ${settings.deadlineMs} ms`)),
    );
  }

  /**
   * Decides about a request, and charges every entry or none.
   *
   * Rejects with what the store rejects with, other than ERR_RATE_LIMIT_STORE_UNAVAILABLE, of which
   * `onUnavailable` is told instead.
   */
  consume(
    group: readonly PolicyCost[],
    onUnavailable: (error: RateLimitError) => void = ignore,
  ): Promise<JointDecision<SharedDecision>> {
    const { standIn } = this.#settings;
    const isReserved = standIn?.isRecovering === true && group.every(isChargeable);
    if (isReserved) {
      const refusals = standIn.reserve(group);
      if (refusals !== undefined) {
        const known = this.#isWithoutStore ? standIn.peek(group) : refusals;
        return Promise.resolve(this.#counted(joint(group, known)));
      }
    }
    // A cost above the burst would not be charged anyway, and its refusal says nothing of the debt.
    const isCharged = group.every(isChargeable);
    const charges = group.map((entry) => this.#chargeOf(entry, isCharged ? entry.cost : 0));
    return this.#ask(
      charges,
      (debts) => {
        const isAdmitted = isCharged && isWithin(debts, charges);
        if (isReserved && !isAdmitted) standIn.release(group);
        return this.#counted(this.#answered(group, charges, debts, isAdmitted));
      },
      (error) => {
        if (isReserved) standIn.release(group);
        onUnavailable(error);
        return this.#counted(this.#withoutStore(group, error, "consume"));
      },
    );
  }

  /** Decides as `consume` would, and charges nothing. */
  peek(group: readonly PolicyCost[]): Promise<JointDecision<SharedDecision>> {
    const charges = group.map((entry) => this.#chargeOf(entry, 0));
    return this.#ask(
      charges,
      (debts) => this.#answered(group, charges, debts, false),
      (error) => this.#withoutStore(group, error, "peek"),
    );
  }

  /** Charges as much of each cost as still fits. */
  async charge(group: readonly PolicyCost[]): Promise<void> {
    await Promise.all(
      group.map(async (entry) => {
        const { interval, capacity } = this.#readerOf(entry.policy);
        const cost = Math.min(entry.cost * interval, capacity);
        const charge = { policyName: entry.policy.name, key: entry.key, cost, capacity };
        const [debt] = await this.#ask([charge], identity, rethrow);
        const room = capacity + cost - debt!;
        if (debt! <= capacity || room <= 0) return;
        await this.#ask([{ ...charge, cost: room }], identity, rethrow);
      }),
    );
  }

  async refund(group: readonly PolicyCost[]): Promise<void> {
    const { store, standIn } = this.#settings;
    const charged = group.filter(({ policy, cost }) => policy.limit > 0 && cost > 0);
    standIn?.release(charged);
    const charges = charged.map((entry) => this.#chargeOf(entry, entry.cost));
    await this.#held(store.refund(charges));
  }

  async forget(policy: CompletePolicy, key: string): Promise<void> {
    this.#settings.standIn?.forget(policy, key);
    await this.#held(this.#settings.store.forget(policy.name, key));
  }

  metrics(policy: CompletePolicy): LimiterMetrics {
    const { breakerState } = this.#settings.store;
    return {
      policyName: policy.name,
      ...this.#readerOf(policy).counts,
      ...(breakerState !== undefined && { breaker: breakerState }),
    };
  }

  /** Decides by what the store has answered to `charges`, and takes note of it. */
  #answered(
    group: readonly PolicyCost[],
    charges: readonly Charge[],
    debts: readonly number[],
    isAdmitted: boolean,
  ): JointDecision<SharedDecision> {
    const { standIn } = this.#settings;
    const decisions = group.map(({ policy, key, cost }, index) => {
      const reader = this.#readerOf(policy);
      const debt = isAdmitted ? debts[index]! : debts[index]! - charges[index]!.cost;
      standIn?.learn(policy, key, debt);
      return isAdmitted ? reader.charged(debt, cost) : reader.read(debt, cost);
    });
    return joint(group, decisions);
  }

  #counted(decision: JointDecision<SharedDecision>): JointDecision<SharedDecision> {
    for (const { policy, decision: part } of decision.decisions) {
      this.#readerOf(policy).counts[part.kind]++;
    }
    return decision;
  }

  #withoutStore(
    group: readonly PolicyCost[],
    error: RateLimitError,
    method: "consume" | "peek",
  ): JointDecision<SharedDecision> {
    const { actionOf, standIn, onUnavailable } = this.#settings;
    this.#isWithoutStore = true;
    const actions = group.map(({ policy }) => actionOf(policy.name));
    const fallbacks = group.filter((_, index) => actions[index] === "fallback");
    const isClosed = actions.includes("fail-closed");
    const locally = standIn?.[isClosed ? "peek" : method](fallbacks) ?? [];
    if (method === "consume") {
      for (const { policy } of fallbacks) this.#readerOf(policy).counts.fallback++;
    }
    let next = 0;
    const decisions = group.map(({ policy: { limit } }, index): SharedDecision => {
      if (actions[index] === "fallback") return locally[next++]!;
      const isAdmitted = actions[index] === "fail-open";
      return { kind: "unavailable", limit, isAdmitted, error };
    });
    const decision = joint(group, decisions);
    onUnavailable(error, decision);
    return decision;
  }

  /**
   * Asks the store and resolves with what is made of its answer, or of having none: what it may not
   * answer or do counts as none. Rejects when the store refuses.
   */
  #ask<T>(
    charges: readonly Charge[],
    onAnswer: (debts: readonly number[]) => T,
    onUnavailable: (error: RateLimitError) => T,
  ): Promise<T> {
    const { store } = this.#settings;
    const onFailure = (error: unknown): T => {
      if (!(error instanceof RateLimitError)) return onUnavailable(unavailable(error));
      if (error.code === "ERR_RATE_LIMIT_STORE_UNAVAILABLE") return onUnavailable(error);
      throw error;
    };
    let answer: Promise<unknown>;
    try {
      answer = this.#held(store.charge(charges));
    } catch (error) {
      answer = Promise.reject(error);
    }
    // One `then` for both outcomes: each promise more took a tenth of the time of a decision.
    return answer.then((debts) => {
      if (!isAnswer(debts, charges)) {
        return onFailure(new Error("its answer was not the debts that were asked for"));
      }
      this.#isWithoutStore = false;
      return onAnswer(debts);
    }, onFailure);
  }

  /** A store that says what its deadline is keeps it; any other one is watched. */
  #held<T>(answer: Promise<T>): Promise<T> {
    const isWatched = this.#settings.store.deadlineMs === undefined;
    return isWatched ? this.#deadline.hold(Promise.resolve(answer)) : answer;
  }

  #chargeOf({ policy, key }: PolicyCost, cost: number): Charge {
    const { interval, capacity } = this.#readerOf(policy);
    return { policyName: policy.name, key, cost: cost === 0 ? 0 : cost * interval, capacity };
  }

  #readerOf(policy: CompletePolicy): Reader {
    if (policy === this.#lastPolicy) return this.#lastReader!;
    let reader = this.#readers.get(policy);
    if (reader === undefined) {
      reader = readerOf(policy, this.#countsOf(policy));
      this.#readers.set(policy, reader);
    }
    this.#lastPolicy = policy;
    this.#lastReader = reader;
    return reader;
  }

  #countsOf({ name }: CompletePolicy): Counts {
    let counts = this.#counts.get(name);
    if (counts === undefined) {
      counts = { admitted: 0, limited: 0, unavailable: 0, fallback: 0 };
      this.#counts.set(name, counts);
    }
    return counts;
  }
}

const ignore = (): void => undefined;

function isChargeable({ policy, cost }: PolicyCost): boolean {
  return cost > 0 && cost <= policy.burst;
}

function isWithin(debts: readonly number[], charges: readonly Charge[]): boolean {
  return debts.every((debt, index) => debt <= charges[index]!.capacity);
}

function readerOf(policy: CompletePolicy, counts: Counts): Reader {
  let answer = 0;
  const meter: Meter = gcraMeter(policy, {
    charge: () => answer,
    refund: ignore,
    block: ignore,
    forget: ignore,
  });
  const interval = policyInterval(policy);
  return {
    counts,
    interval,
    capacity: policy.limit === 0 ? 0 : policy.burst * interval,
    charged(debt, cost) {
      answer = debt;
      return meter.consume("", cost, 0);
    },
    read(debt, cost) {
      answer = debt;
      return meter.peek("", cost || 1, 0);
    },
  };
}

/** Returns the words of the tightest policy with those of all. */
function joint(
  group: readonly PolicyCost[],
  own: readonly SharedDecision[],
): JointDecision<SharedDecision> {
  const decisions: PolicyDecision[] = own.map((decision, index) => {
    return { policy: group[index]!.policy, decision };
  });
  let tightest = decisions[0]!;
  let delayMs = 0;
  for (const part of decisions) {
    const { decision } = part;
    if (decision.kind === "admitted") delayMs = Math.max(delayMs, decision.delayMs);
    if (tightness(decision) > tightness(tightest.decision)) tightest = part;
  }
  const { policy, decision } = tightest;
  const { limit } = decision;
  // Written out: a spread of the decision took 0.7 us, several times the decision itself.
  if (decision.kind === "unavailable") {
    const { kind, isAdmitted, error } = decision;
    return { kind, limit, isAdmitted, error, policy, decisions };
  }
  const { remaining, resetMs } = decision;
  if (decision.kind === "admitted") {
    return { kind: decision.kind, limit, remaining, resetMs, delayMs, policy, decisions };
  }
  const { kind, retryAfterMs } = decision;
  return { kind, limit, remaining, resetMs, retryAfterMs, policy, decisions };
}

/** Limited by the longest wait, refused without a store, admitted with the least left, unknown. */
function tightness(decision: SharedDecision): number {
  if (decision.kind === "limited") return 2 + decision.retryAfterMs;
  if (decision.kind === "unavailable") return decision.isAdmitted ? -Infinity : 1;
  return -decision.remaining;
}

function isAnswer(debts: unknown, charges: readonly Charge[]): debts is readonly number[] {
  if (!Array.isArray(debts) || debts.length !== charges.length) return false;
  return charges.every(({ cost, capacity }, index) => {
    const debt: unknown = debts[index];
    return typeof debt === "number" && debt >= cost && debt <= capacity + cost;
  });
}

function identity<T>(value: T): T {
  return value;
}

function rethrow(error: RateLimitError): never {
  throw error;
}

function unavailable(cause: unknown): RateLimitError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RateLimitError(
    "ERR_RATE_LIMIT_STORE_UNAVAILABLE",
    `Cannot reach the rate limit store: ${reason}`,
    { cause },
  );
}
