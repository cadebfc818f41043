import type { JointDecision, PolicyDecision } from "./consume-all.ts";
import type { LimitedDecision, SharedDecision } from "./decision.ts";
import { RateLimitError } from "./errors.ts";
import { allKnown, isPromiseLike, whenKnown } from "./eventually.ts";
import type { Eventually } from "./eventually.ts";
import { parsePolicy } from "./policy.ts";
import type { CompletePolicy } from "./policy.ts";
import type { PolicyCounters } from "./policy-counters.ts";
import type { RateLimitedRequest, RateLimitedResponse } from "./rate-limit-options.ts";
import type { RateLimitSettings } from "./rate-limit-settings.ts";
import { requireAnswer } from "./request-policies.ts";
import type { ChargedPolicy } from "./request-policies.ts";
import type { PolicyCost } from "./stand-in.ts";

/** What is to happen to a request. */
export interface Verdict {
  readonly key: string;
  readonly decision: JointDecision<SharedDecision>;
  /** What has been charged. */
  readonly charges: readonly PolicyCost[];
  /** Ends the request's part in the concurrency limit. */
  readonly release?: () => void;
}

/** A policy that applies to a request, with what the request costs under it. */
interface Applied {
  readonly policy: ChargedPolicy;
  readonly charge: PolicyCost;
}

const DENY_POLICY = parsePolicy({ name: "deny", limit: 0, windowMs: 1000 });

/** Nobody knows when a request in progress ends. */
const CONCURRENCY_RETRY_MS = 1000;

/** Decides about a request; undefined for one that is not counted. Sets no field. */
export type Judge = (
  request: RateLimitedRequest,
  response: RateLimitedResponse,
) => Eventually<Verdict | undefined>;

/** Returns the function that asks the functions of the options about a request, then the limiters. */
export function createJudge(settings: RateLimitSettings, counters: PolicyCounters): Judge {
  const { policies, limits, skip, allow, deny, onEvent } = settings;
  const begin = concurrencyGate(settings);

  return function judge(request, response) {
    if (skip === undefined) return unlessListed(request, response);
    return whenKnown(skip(request, response), (isSkipped) =>
      requireAnswer("skip", isSkipped) ? undefined : unlessListed(request, response),
    );
  };

  function unlessListed(
    request: RateLimitedRequest,
    response: RateLimitedResponse,
  ): Eventually<Verdict | undefined> {
    let known: string | undefined;
    const address = (): string => (known ??= settings.addressOf(request));
    const costs = policies.map((policy) => policy.chargeOf(request, response, address));
    return whenKnown(allKnown(costs), (charges) => {
      const applied = appliedOf(policies, charges);
      const key = applied[0]?.charge.key ?? settings.keyOf(address());
      if (deny?.includes(address(), key) === true) {
        return { key, charges: [], decision: denied() };
      }
      if (applied.length === 0 || allow?.includes(address(), key) === true) return undefined;
      return begin(key, () => charged(request, key, applied));
    });
  }

  function charged(
    request: RateLimitedRequest,
    key: string,
    applied: readonly Applied[],
  ): Eventually<Verdict | undefined> {
    const charges = applied.filter(({ policy }) => !policy.isDryRun).map(({ charge }) => charge);
    const failed = (error: unknown): undefined => {
      onEvent({ kind: "store-failed", request, error });
      if (!settings.passOnStoreError || isRefusal(error)) throw error;
    };
    try {
      const decided = charges.length === 0 ? undefined : consume(request, charges);
      const verdict = whenKnown(decided, (decision) => {
        if (decision === undefined) return whenKnown(tryDryRuns(request, applied), () => undefined);
        counters.note(decision);
        const isCharged = decision.kind === "admitted";
        const known = { key, charges: isCharged ? charges : [], decision };
        if (decision.kind === "limited") return known;
        return whenKnown(tryDryRuns(request, applied), () => known);
      });
      return isPromiseLike(verdict) ? verdict.then(undefined, failed) : verdict;
    } catch (error) {
      return failed(error);
    }
  }

  function consume(
    request: RateLimitedRequest,
    charges: readonly PolicyCost[],
  ): Eventually<JointDecision<SharedDecision>> {
    const decision = limits.consume(charges, (error) => {
      onEvent({ kind: "store-failed", request, error });
    });
    return whenKnown(decision, (known) => withinPatience(request, known, charges));
  }

  /** A request that would have to wait is refused, and costs nothing, when too many wait already. */
  function withinPatience(
    request: RateLimitedRequest,
    decision: JointDecision<SharedDecision>,
    charges: readonly PolicyCost[],
  ): JointDecision<SharedDecision> {
    if (decision.kind !== "admitted" || decision.delayMs === 0) return decision;
    if (!settings.delayed.isFull) return decision;
    for (const charge of charges) {
      const refund = limits.refund(charge);
      if (!isPromiseLike(refund)) continue;
      void refund.then(undefined, (error: unknown) => {
        onEvent({ kind: "settlement-failed", request, error });
      });
    }
    const { policy, resetMs, delayMs } = decision;
    return refusalBy(policy, { resetMs, retryAfterMs: delayMs });
  }

  function tryDryRuns(
    request: RateLimitedRequest,
    applied: readonly Applied[],
  ): Eventually<unknown> {
    const trials = applied.map(({ policy, charge }) => {
      if (!policy.isDryRun) return undefined;
      const decision = limits.consume([charge], () => undefined);
      return whenKnown(decision, (known) => {
        noteDryRun(request, policy.name, charge.key, known);
      });
    });
    return allKnown(trials);
  }

  function noteDryRun(
    request: RateLimitedRequest,
    name: string,
    key: string,
    decision: SharedDecision,
  ): void {
    if (decision.kind === "unavailable") return;
    counters.noteDryRun(name, decision.kind);
    if (decision.kind === "admitted") return;
    const { retryAfterMs } = decision;
    onEvent({ kind: "dry-run-limited", request, policyNames: [name], key, retryAfterMs });
  }
}

function denied(): JointDecision<LimitedDecision> {
  return refusalBy(DENY_POLICY, { resetMs: 0, retryAfterMs: Infinity });
}

function refusalBy(
  policy: CompletePolicy,
  times: Pick<LimitedDecision, "resetMs" | "retryAfterMs">,
  unit?: PolicyDecision["unit"],
): JointDecision<LimitedDecision> {
  const decision = { kind: "limited", limit: policy.limit, remaining: 0, ...times } as const;
  const entry = { policy, decision, ...(unit !== undefined && { unit }) };
  return { ...decision, policy, decisions: [entry] };
}

function appliedOf(
  policies: readonly ChargedPolicy[],
  charges: readonly (PolicyCost | undefined)[],
): readonly Applied[] {
  const applied: Applied[] = [];
  for (const [index, policy] of policies.entries()) {
    const charge = charges[index];
    if (charge !== undefined) applied.push({ policy, charge });
  }
  return applied;
}

/** Returns the function that decides about a request unless too many of its key are in progress. */
function concurrencyGate({
  concurrency,
}: RateLimitSettings): (
  key: string,
  decide: () => Eventually<Verdict | undefined>,
) => Eventually<Verdict | undefined> {
  if (concurrency === undefined) return (_key, decide) => decide();
  const { limit } = concurrency;
  const policy = parsePolicy({ name: "concurrency", limit, windowMs: CONCURRENCY_RETRY_MS });
  const retryAfterMs = limit === 0 ? Infinity : CONCURRENCY_RETRY_MS;

  return function begin(key, decide) {
    const place = concurrency.acquire(key);
    if (place.kind === "limited") {
      const times = { resetMs: CONCURRENCY_RETRY_MS, retryAfterMs };
      return { key, charges: [], decision: refusalBy(policy, times, "concurrent-requests") };
    }
    const give = (): void => {
      place.release();
    };
    const leave = (error: unknown): never => {
      give();
      throw error;
    };
    try {
      const verdict = whenKnown(decide(), (known) => {
        if (known !== undefined && isLetThrough(known.decision)) return { ...known, release: give };
        give();
        return known;
      });
      return isPromiseLike(verdict) ? verdict.then(undefined, leave) : verdict;
    } catch (error) {
      return leave(error);
    }
  };
}

function isLetThrough(decision: SharedDecision): boolean {
  return decision.kind === "admitted" || (decision.kind === "unavailable" && decision.isAdmitted);
}

/** Wrong credentials are a mistake of whoever runs this, and no reason to let everybody in. */
function isRefusal(error: unknown): boolean {
  return error instanceof RateLimitError && error.code === "ERR_RATE_LIMIT_STORE_REFUSED";
}
