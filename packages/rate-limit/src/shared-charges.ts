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
  readonly store: SharedStore & { readonly breakerState?: BreakerState };
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
  async consume(
    group: readonly PolicyCost[],
    onUnavailable: (error: RateLimitError) => void = () => undefined,
  ): Promise<JointDecision<SharedDecision>> {
    const decision = await this.#decide(group, onUnavailable);
    for (const { policy, decision: part } of decision.decisions) {
      this.#countsOf(policy)[part.kind]++;
    }
    return decision;
  }

  /** Decides as `consume` would, and charges nothing. */
  async peek(group: readonly PolicyCost[]): Promise<JointDecision<SharedDecision>> {
    try {
      const debts = await this.#ask(group.map((entry) => this.#chargeOf(entry, 0)));
      return this.#read(group, debts);
    } catch (error) {
      return this.#withoutStore(group, requireUnavailable(error), "peek");
    }
  }

  /** Charges as much of each cost as still fits. */
  async charge(group: readonly PolicyCost[]): Promise<void> {
    await Promise.all(
      group.map(async (entry) => {
        const { interval, capacity } = this.#readerOf(entry.policy);
        const cost = Math.min(entry.cost * interval, capacity);
        const charge = { policyName: entry.policy.name, key: entry.key, cost, capacity };
        const [debt] = await this.#ask([charge]);
        const room = capacity + cost - debt!;
        if (debt! > capacity && room > 0) await this.#ask([{ ...charge, cost: room }]);
      }),
    );
  }

  async refund(group: readonly PolicyCost[]): Promise<void> {
    const { store, standIn } = this.#settings;
    const charged = group.filter(({ policy, cost }) => policy.limit > 0 && cost > 0);
    standIn?.release(charged);
    const charges = charged.map((entry) => this.#chargeOf(entry, entry.cost));
    await this.#deadline.hold(Promise.resolve(store.refund(charges)));
  }

  async forget(policy: CompletePolicy, key: string): Promise<void> {
    this.#settings.standIn?.forget(policy, key);
    await this.#deadline.hold(Promise.resolve(this.#settings.store.forget(policy.name, key)));
  }

  metrics(policy: CompletePolicy): LimiterMetrics {
    const { breakerState } = this.#settings.store;
    return {
      policyName: policy.name,
      ...this.#countsOf(policy),
      ...(breakerState !== undefined && { breaker: breakerState }),
    };
  }

  async #decide(
    group: readonly PolicyCost[],
    onUnavailable: (error: RateLimitError) => void,
  ): Promise<JointDecision<SharedDecision>> {
    const { standIn } = this.#settings;
    // A cost above the burst would not be charged anyway, and its refusal says nothing of the debt.
    if (group.some(({ policy, cost }) => cost === 0 || cost > policy.burst))
      return this.peek(group);
    const isReserved = standIn?.isRecovering === true;
    if (isReserved) {
      const refusals = standIn.reserve(group);
      if (refusals !== undefined) {
        return joint(group, this.#isWithoutStore ? standIn.peek(group) : refusals);
      }
    }
    try {
      const debts = await this.#ask(group.map((entry) => this.#chargeOf(entry, entry.cost)));
      const isAdmitted = group.every(({ policy }, index) => {
        return debts[index]! <= this.#readerOf(policy).capacity;
      });
      if (isReserved && !isAdmitted) standIn.release(group);
      return isAdmitted ? this.#charged(group, debts) : this.#refused(group, debts);
    } catch (error) {
      if (isReserved) standIn.release(group);
      const unavailability = requireUnavailable(error);
      onUnavailable(unavailability);
      return this.#withoutStore(group, unavailability, "consume");
    }
  }

  #charged(group: readonly PolicyCost[], debts: readonly number[]): JointDecision<SharedDecision> {
    const { standIn } = this.#settings;
    return joint(
      group,
      group.map(({ policy, key, cost }, index) => {
        standIn?.learn(policy, key, debts[index]!);
        return this.#readerOf(policy).charged(debts[index]!, cost);
      }),
    );
  }

  #refused(group: readonly PolicyCost[], debts: readonly number[]): JointDecision<SharedDecision> {
    const owed = group.map(({ policy, cost }, index) => {
      return debts[index]! - cost * this.#readerOf(policy).interval;
    });
    return this.#read(group, owed);
  }

  #read(group: readonly PolicyCost[], debts: readonly number[]): JointDecision<SharedDecision> {
    const { standIn } = this.#settings;
    return joint(
      group,
      group.map(({ policy, key, cost }, index) => {
        standIn?.learn(policy, key, debts[index]!);
        return this.#readerOf(policy).read(debts[index]!, cost);
      }),
    );
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
      for (const { policy } of fallbacks) this.#countsOf(policy).fallback++;
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

  /** Asks the store; what it may not answer or do counts as no answer. */
  async #ask(charges: readonly Charge[]): Promise<readonly number[]> {
    let debts: unknown;
    try {
      debts = await this.#deadline.hold(Promise.resolve(this.#settings.store.charge(charges)));
    } catch (error) {
      throw error instanceof RateLimitError ? error : unavailable(error);
    }
    if (isAnswer(debts, charges)) {
      this.#isWithoutStore = false;
      return debts;
    }
    throw unavailable(new Error("its answer was not the debts that were asked for"));
  }

  #chargeOf({ policy, key }: PolicyCost, cost: number): Charge {
    const { interval, capacity } = this.#readerOf(policy);
    return { policyName: policy.name, key, cost: cost === 0 ? 0 : cost * interval, capacity };
  }

  #readerOf(policy: CompletePolicy): Reader {
    let reader = this.#readers.get(policy);
    if (reader === undefined) {
      reader = readerOf(policy);
      this.#readers.set(policy, reader);
    }
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

function readerOf(policy: CompletePolicy): Reader {
  let answer = 0;
  const meter: Meter = gcraMeter(policy, {
    charge: () => answer,
    refund: ignore,
    block: ignore,
    forget: ignore,
  });
  const interval = policyInterval(policy);
  return {
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
  decisions: readonly SharedDecision[],
): JointDecision<SharedDecision> {
  const parts: PolicyDecision[] = decisions.map((decision, index) => {
    return { policy: group[index]!.policy, decision };
  });
  let tightest = parts[0]!;
  let delayMs = 0;
  for (const part of parts) {
    const { decision } = part;
    if (decision.kind === "admitted") delayMs = Math.max(delayMs, decision.delayMs);
    if (tightness(decision) > tightness(tightest.decision)) tightest = part;
  }
  const { policy, decision } = tightest;
  return decision.kind === "admitted"
    ? { ...decision, delayMs, policy, decisions: parts }
    : { ...decision, policy, decisions: parts };
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

function requireUnavailable(error: unknown): RateLimitError {
  if (error instanceof RateLimitError && error.code === "ERR_RATE_LIMIT_STORE_UNAVAILABLE") {
    return error;
  }
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
