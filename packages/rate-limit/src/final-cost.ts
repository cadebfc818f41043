import { requireBoolean, requireFunction, requireInteger } from "./options.ts";
import type {
  RateLimitedRequest,
  RateLimitedResponse,
  RateLimitOptions,
} from "./rate-limit-options.ts";
import type { RequestLimits } from "./request-limits.ts";
import { requireAnswer } from "./request-policies.ts";
import type { PolicyCost } from "./stand-in.ts";

const MAX_COST = 1_000_000_000;

type FinalCostOptions = Pick<
  RateLimitOptions,
  "skipSuccessfulRequests" | "skipFailedRequests" | "requestWasSuccessful" | "finalCost"
>;

/** Returns what a request cost in the end, given what it was charged. */
export type FinalCost = (
  request: RateLimitedRequest,
  response: RateLimitedResponse,
  charged: number,
) => Promise<number>;

/** Returns the function that settles requests, or undefined when what was charged is what it costs. */
export function finalCostOf(options: FinalCostOptions): FinalCost | undefined {
  requireFunction("requestWasSuccessful", options.requestWasSuccessful);
  requireFunction("finalCost", options.finalCost);
  const skipsSuccess = requireBoolean(
    "skipSuccessfulRequests",
    options.skipSuccessfulRequests ?? false,
  );
  const skipsFailure = requireBoolean("skipFailedRequests", options.skipFailedRequests ?? false);
  const wasSuccessful = options.requestWasSuccessful?.bind(options) ?? isSuccess;
  const costOf = options.finalCost?.bind(options);
  if (!skipsSuccess && !skipsFailure && costOf === undefined) return undefined;

  return async function finalCost(request, response, charged) {
    if (skipsSuccess || skipsFailure) {
      const isSuccessful = requireAnswer(
        "requestWasSuccessful",
        await wasSuccessful(request, response),
      );
      if (isSuccessful ? skipsSuccess : skipsFailure) return 0;
    }
    if (costOf === undefined) return charged;
    return requireInteger("finalCost", await costOf(request, response), 0, MAX_COST);
  };
}

/** Charges or gives back the difference between what a request was charged and what it cost. */
export async function settle(
  limits: RequestLimits,
  charged: PolicyCost,
  finalCost: number,
): Promise<void> {
  const { cost } = charged;
  if (finalCost > cost) await limits.charge({ ...charged, cost: finalCost - cost });
  else if (finalCost < cost) await limits.refund({ ...charged, cost: cost - finalCost });
}

function isSuccess(_request: RateLimitedRequest, response: RateLimitedResponse): boolean {
  return response.writableEnded && response.statusCode < 400;
}
