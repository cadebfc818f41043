import { keyOf } from "./address-key.ts";
import type { PolicyCharge } from "./consume-all.ts";
import { allKnown, whenKnown } from "./eventually.ts";
import type { Eventually } from "./eventually.ts";
import { createLimiter } from "./limiter.ts";
import type { Limiter, LimiterOptions } from "./limiter.ts";
import { quote, requireBoolean, requireFunction, requireInteger } from "./options.ts";
import { requireLimit, requireWindowMs } from "./policy.ts";
import type {
  OfRequest,
  RateLimitedRequest,
  RateLimitedResponse,
  RequestPolicy,
} from "./rate-limit-options.ts";

const MAX_COST = 1_000_000_000;
/** Limiters that one policy with a limit or window per request keeps ready. */
const MAX_VARIANTS = 256;

/** A policy as the middleware asks it about a request. */
export interface ChargedPolicy {
  readonly name: string;
  readonly isDryRun: boolean;
  /** For what concerns keys and not numbers: reset, block. */
  readonly limiter: Limiter;
  /** Returns what a request costs under this policy; undefined when it does not apply. */
  chargeOf(
    request: RateLimitedRequest,
    response: RateLimitedResponse,
    address: () => string,
  ): Eventually<PolicyCharge | undefined>;
}

/** What policies take over from the options of the middleware. */
export interface PolicyDefaults {
  readonly keyGenerator: RequestPolicy["keyGenerator"];
  readonly ipv6Prefix: number;
  readonly limiterOptions: LimiterOptions;
}

/** Returns a policy ready to be asked. */
export function chargedPolicy(policy: RequestPolicy, defaults: PolicyDefaults): ChargedPolicy {
  const { limit, windowMs, cost = 1, dryRun = false } = policy;
  for (const name of ["keyGenerator", "skip"] as const) requireFunction(name, policy[name]);
  if (typeof cost !== "function") requireInteger("cost", cost, 0, MAX_COST);
  const isDryRun = requireBoolean("dryRun", dryRun);
  const ofKey = policy.keyGenerator?.bind(policy) ?? defaults.keyGenerator;
  const skip = policy.skip?.bind(policy);
  const limiterOf = limiterVariants(policy, defaults.limiterOptions);
  // The numbers of a policy whose limit depends on the request do not matter for what it is used for.
  const limiter = limiterOf(
    typeof limit === "function" ? 1 : limit,
    typeof windowMs === "function" ? 1 : windowMs,
  );

  const chargeOf: ChargedPolicy["chargeOf"] = (request, response, address) => {
    function charge(): Eventually<PolicyCharge> {
      const key =
        ofKey === undefined ? keyOf(address(), defaults.ipv6Prefix) : ofKey(request, response);
      const numbers = [limit, windowMs, cost].map((value) => valueOf(value, request, response));
      return whenKnown(allKnown<unknown>([key, ...numbers]), ([ofRequest, ...known]) => ({
        limiter: limiterOf(known[0], known[1]),
        key: requireKey(ofRequest),
        cost: requireInteger("cost", known[2], 0, MAX_COST),
      }));
    }
    if (skip === undefined) return charge();
    return whenKnown(skip(request, response), (isSkipped) =>
      requireAnswer("skip", isSkipped) ? undefined : charge(),
    );
  };
  return { name: limiter.policy.name, isDryRun, limiter, chargeOf };
}

/** Returns the policy of the IPv6 networks of `prefix` bits around the clients of another policy. */
export function networkPolicy(
  policy: RequestPolicy,
  prefix: 48 | 56,
  factor: number,
  defaults: PolicyDefaults,
): ChargedPolicy {
  requireInteger(`ipv6Budgets.${prefix}`, factor, 1, 1_000_000);
  const { limit, burst, delayAfter, ...same } = policy;
  const wider: RequestPolicy = {
    ...same,
    name: `${policy.name ?? "default"}/${prefix}`,
    limit:
      typeof limit === "function"
        ? (request, response) => whenKnown(limit(request, response), (value) => value * factor)
        : limit * factor,
    ...(burst !== undefined && { burst: burst * factor }),
    ...(delayAfter !== undefined && { delayAfter: delayAfter * factor }),
  };
  const charged = chargedPolicy(wider, { ...defaults, ipv6Prefix: prefix });
  return {
    ...charged,
    chargeOf: (request, response, address) =>
      keyOf(address(), prefix).endsWith(`/${prefix}`)
        ? charged.chargeOf(request, response, address)
        : undefined,
  };
}

/** Limiters of one name share what keys owe, so a key keeps its debt when its limit changes. */
function limiterVariants(
  { name, algorithm, burst, strict, delayAfter }: RequestPolicy,
  options: LimiterOptions,
): (limit: unknown, windowMs: unknown) => Limiter {
  const fixed = {
    ...(name !== undefined && { name }),
    ...(algorithm !== undefined && { algorithm }),
    ...(burst !== undefined && { burst }),
    ...(strict !== undefined && { strict }),
    ...(delayAfter !== undefined && { delayAfter }),
  };
  const variants = new Map<string, Limiter>();
  return function limiterOf(limit, windowMs) {
    const policy = {
      ...fixed,
      limit: requireLimit("limit", limit),
      windowMs: requireWindowMs("windowMs", windowMs),
    };
    const numbers = `${policy.limit}/${policy.windowMs}`;
    const known = variants.get(numbers);
    if (known !== undefined) return known;
    const limiter = createLimiter(policy, options);
    if (variants.size === MAX_VARIANTS) variants.delete(variants.keys().next().value!);
    variants.set(numbers, limiter);
    return limiter;
  };
}

function valueOf(
  value: number | OfRequest<number>,
  request: RateLimitedRequest,
  response: RateLimitedResponse,
): Eventually<number> {
  return typeof value === "function" ? value(request, response) : value;
}

function requireKey(key: unknown): string {
  if (typeof key === "string") return key;
  throw new TypeError(`"keyGenerator" must return a string, got a value of type ${typeof key}`);
}

/** Anything but a boolean is no answer: a truthy object would lift the limit for everyone. */
export function requireAnswer(option: string, answer: unknown): boolean {
  if (typeof answer === "boolean") return answer;
  throw new TypeError(`"${option}" must return a boolean, got ${quote(answer)}`);
}
