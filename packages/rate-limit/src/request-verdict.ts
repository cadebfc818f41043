import { consumeAll } from "./consume-all.ts";
import type { JointDecision, PolicyCharge, PolicyDecision } from "./consume-all.ts";
import type { LimitedDecision, SharedDecision } from "./decision.ts";
import { allKnown, whenKnown } from "./eventually.ts";
import type { Eventually } from "./eventually.ts";
import { parsePolicy } from "./policy.ts";
import type { CompletePolicy } from "./policy.ts";
import type { PolicyCounters } from "./policy-counters.ts";
import type { RateLimitedRequest, RateLimitedResponse } from "./rate-limit-options.ts";
import type { RateLimitSettings } from "./rate-limit-settings.ts";
import { requireAnswer } from "./request-policies.ts";
import type { ChargedPolicy } from "./request-policies.ts";

/** What is to happen to a request. */
export interface Verdict {
  readonly key: string;
  readonly decision: JointDecision<SharedDecision>;
  /** What has been charged. */
  readonly charges: readonly PolicyCharge[];
  /** Ends the request's part in the concurrency limit. */
  readonly release?: () => void;
}

/** A policy that applies to a request, with what the request costs under it. */
interface Applied {
  readonly policy: ChargedPolicy;
  readonly charge: PolicyCharge;
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
  const { policies, skip, allow, deny, onEvent } = settings;
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
  ): Verdict | undefined {
    let charges = applied.filter(({ policy }) => !policy.isDryRun).map(({ charge }) => charge);
    let decision: JointDecision | undefined;
    try {
      if (charges.length > 0) decision = withinPatience(consumeAll(charges), charges);
      if (decision?.kind !== "limited") tryDryRuns(request, applied);
    } catch (error) {
      onEvent({ kind: "store-failed", request, error });
      if (settings.passOnStoreError) return undefined;
      throw error;
    }
    if (decision === undefined) return undefined;
    counters.note(decision);
    if (decision.kind === "limited") charges = [];
    return { key, charges, decision };
  }

  /** A request that would have to wait is refused, and costs nothing, when too many wait already. */
  function withinPatience(
    decision: JointDecision,
    charges: readonly PolicyCharge[],
  ): JointDecision {
    if (decision.kind === "limited" || decision.delayMs === 0) return decision;
    if (!settings.delayed.isFull) return decision;
    for (const { limiter, key, cost } of charges) limiter.refund(key, cost);
    const { policy, resetMs, delayMs } = decision;
    return refusalBy(policy, { resetMs, retryAfterMs: delayMs });
  }

  function tryDryRuns(request: RateLimitedRequest, applied: readonly Applied[]): void {
    for (const { policy, charge } of applied) {
      if (!policy.isDryRun) continue;
      const decision = charge.limiter.consume(charge.key, charge.cost);
      counters.noteDryRun(policy.name, decision.kind);
      if (decision.kind === "admitted") continue;
      const { retryAfterMs } = decision;
      const policyNames = [policy.name];
      onEvent({ kind: "dry-run-limited", request, policyNames, key: charge.key, retryAfterMs });
    }
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
  charges: readonly (PolicyCharge | undefined)[],
): readonly Applied[] {
  return policies.flatMap((policy, index) => {
    const charge = charges[index];
    return charge === undefined ? [] : [{ policy, charge }];
  });
}

/** Returns the function that decides about a request unless too many of its key are in progress. */
function concurrencyGate({
  concurrency,
}: RateLimitSettings): (key: string, decide: () => Verdict | undefined) => Verdict | undefined {
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
    let verdict: Verdict | undefined;
    try {
      verdict = decide();
    } finally {
      if (verdict?.decision.kind !== "admitted") place.release();
    }
    return verdict?.decision.kind === "admitted"
      ? { ...verdict, release: () => place.release() }
      : verdict;
  };
}
