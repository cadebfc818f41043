import { whenClosed } from "./closed-response.ts";
import type { JointDecision } from "./consume-all.ts";
import type { SharedDecision } from "./decision.ts";
import { allKnown, isPromiseLike, whenKnown } from "./eventually.ts";
import type { Eventually } from "./eventually.ts";
import { settle } from "./final-cost.ts";
import type { LimiterMetrics } from "./metrics.ts";
import { requireInteger } from "./options.ts";
import { MAX_WINDOW_MS } from "./policy.ts";
import { PolicyCounters } from "./policy-counters.ts";
import type {
  RateLimitedRequest,
  RateLimitedResponse,
  RateLimitOptions,
  RateLimitPoliciesOptions,
  RefusingDecision,
} from "./rate-limit-options.ts";
import { parseRateLimitOptions } from "./rate-limit-settings.ts";
import type { RateLimitSettings } from "./rate-limit-settings.ts";
import { createJudge } from "./request-verdict.ts";
import type { Verdict } from "./request-verdict.ts";
import { setFields } from "./response-fields.ts";

/** Connect-style middleware. It never throws: failures go to `next`. */
export interface RateLimitMiddleware {
  (
    request: RateLimitedRequest,
    response: RateLimitedResponse,
    next: (error?: unknown) => void,
  ): void;
  /**
   * Cancels what a key owes under every policy, and its block. Returns a promise with a shared store,
   * which rejects when the store does not answer.
   */
  resetKey(key: string): Eventually<void>;
  /**
   * Refuses every request of a key for `durationMs`, as `Limiter.block` does. Not with a shared
   * store.
   */
  block(key: string, durationMs: number): void;
  /** Ends a block. */
  unblock(key: string): void;
  /** Returns what each policy has decided so far. */
  metrics(): readonly LimiterMetrics[];
}

/**
 * Returns middleware that admits `limit` requests per `windowMs` and client, and answers the others
 * with 429 and problem details.
 *
 * Sets RateLimit-Policy and RateLimit on every response (after those of an earlier rate limit, if
 * any), Retry-After on a refused one, and `request.rateLimit` to the decision. What fails in a
 * function of the options or in the store goes to `next(error)`: the request is not admitted.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type.
 * @throws {RangeError} If a number is out of range.
 */
export function rateLimit(options: RateLimitOptions): RateLimitMiddleware;
/**
 * Returns middleware for several policies: a request is admitted, and charged, by all or by none.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type, or two policies have one name.
 * @throws {RangeError} If a number is out of range.
 */
export function rateLimit(options: RateLimitPoliciesOptions): RateLimitMiddleware;
export function rateLimit(
  options: RateLimitOptions | RateLimitPoliciesOptions,
): RateLimitMiddleware {
  const settings = parseRateLimitOptions(options);
  const counters = new PolicyCounters(settings.policies.map(({ name }) => name));
  const judge = createJudge(settings, counters);
  const { limits } = settings;
  const policies = settings.policies.map(({ policy }) => policy);

  function rateLimitMiddleware(
    request: RateLimitedRequest,
    response: RateLimitedResponse,
    next: (error?: unknown) => void,
  ): void {
    let verdict: Eventually<Verdict | undefined>;
    try {
      verdict = judge(request, response);
    } catch (error) {
      next(error);
      return;
    }
    if (isPromiseLike(verdict)) {
      void concludeLater(settings, verdict, request, response, next);
    } else {
      conclude(settings, verdict, request, response, next);
    }
  }

  return Object.assign(rateLimitMiddleware, {
    resetKey(key: string): Eventually<void> {
      return whenKnown(
        allKnown(policies.map((policy) => limits.reset(policy, key))),
        () => undefined,
      );
    },
    block(key: string, durationMs: number) {
      requireInteger("durationMs", durationMs, 1, MAX_WINDOW_MS);
      for (const policy of policies) limits.block(policy, key, durationMs);
    },
    unblock(key: string) {
      for (const policy of policies) limits.block(policy, key, 0);
    },
    metrics: () =>
      counters
        .counts()
        .map((counts, index) => ({ ...limits.metrics(policies[index]!), ...counts })),
  });
}

async function concludeLater(
  settings: RateLimitSettings,
  verdict: PromiseLike<Verdict | undefined>,
  request: RateLimitedRequest,
  response: RateLimitedResponse,
  next: (error?: unknown) => void,
): Promise<void> {
  let known: Verdict | undefined;
  try {
    known = await verdict;
  } catch (error) {
    next(error);
    return;
  }
  conclude(settings, known, request, response, next);
}

/** Carries out a verdict. Calls `next` outside of every try: what follows throws to its caller. */
function conclude(
  settings: RateLimitSettings,
  verdict: Verdict | undefined,
  request: RateLimitedRequest,
  response: RateLimitedResponse,
  next: (error?: unknown) => void,
): void {
  if (verdict === undefined) {
    next();
    return;
  }
  const { decision, key } = verdict;
  try {
    request.rateLimit = decision;
    setFields(response, settings.headers, decision);
    settleAtEnd(settings, verdict, request, response);
    if (isRefusing(decision)) {
      reportRefusal(settings, decision, key, request);
      void settled(settings.refuse(request, response, next, decision), next);
      return;
    }
    if (decision.kind === "admitted" && decision.delayMs > 0) {
      const { delayMs } = decision;
      settings.onEvent({ kind: "delayed", request, key, delayMs });
      settings.delayed.hold(response, delayMs, next);
      return;
    }
  } catch (error) {
    next(error);
    return;
  }
  next();
}

function isRefusing(decision: JointDecision<SharedDecision>): decision is RefusingDecision {
  return decision.kind === "limited" || (decision.kind === "unavailable" && !decision.isAdmitted);
}

function reportRefusal(
  { onEvent }: RateLimitSettings,
  decision: RefusingDecision,
  key: string,
  request: RateLimitedRequest,
): void {
  if (decision.kind !== "limited") return;
  const { decisions, retryAfterMs } = decision;
  const violated = decisions.filter((entry) => entry.decision.kind === "limited");
  const policyNames = violated.map(({ policy }) => policy.name);
  onEvent({ kind: "limited", request, policyNames, key, retryAfterMs });
}

/** Gives back a request's part in what it does not need after its response is closed. */
function settleAtEnd(
  { finalCost, limits, onEvent }: RateLimitSettings,
  { charges, release }: Verdict,
  request: RateLimitedRequest,
  response: RateLimitedResponse,
): void {
  if (release !== undefined) whenClosed(response, release);
  if (finalCost === undefined || charges.length === 0) return;
  whenClosed(response, () => {
    void Promise.all(
      charges.map(async (charge) => {
        await settle(limits, charge, await finalCost(request, response, charge.cost));
      }),
    ).catch((error: unknown) => {
      onEvent({ kind: "settlement-failed", request, error });
    });
  });
}

/** Passes on the failure of an asynchronous handler, which would otherwise end the process. */
async function settled(pending: unknown, next: (error?: unknown) => void): Promise<void> {
  try {
    await pending;
  } catch (error) {
    next(error);
  }
}
