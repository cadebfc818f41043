import { keyOf } from "./address-key.ts";
import { allKnown, whenKnown } from "./eventually.ts";
import type { Eventually } from "./eventually.ts";
import { quote, requireBoolean, requireFunction, requireInteger } from "./options.ts";
import { parsePolicy, requireLimit, requireWindowMs } from "./policy.ts";
import type { CompletePolicy } from "./policy.ts";
import type {
  OfRequest,
  RateLimitedRequest,
  RateLimitedResponse,
  RequestPolicy,
} from "./rate-limit-options.ts";
import type { PolicyCost } from "./stand-in.ts";

const MAX_COST = 1_000_000_000;
/** Forms that one policy with a limit or window per request keeps ready. */
const MAX_VARIANTS = 256;

/** A policy as the middleware asks it about a request. */
export interface ChargedPolicy {
  readonly name: string;
  readonly isDryRun: boolean;
  /** For what concerns keys and not numbers: reset, block. */
  readonly policy: CompletePolicy;
  /** Returns what a request costs under this policy; undefined when it does not apply. */
  chargeOf(
    request: RateLimitedRequest,
    response: RateLimitedResponse,
    address: () => string,
  ): Eventually<PolicyCost | undefined>;
}

/** What policies take over from the options of the middleware. */
export interface PolicyDefaults {
  readonly keyGenerator: RequestPolicy["keyGenerator"];
  readonly ipv6Prefix: number;
}

/** Returns a policy ready to be asked. */
export function chargedPolicy(policy: RequestPolicy, defaults: PolicyDefaults): ChargedPolicy {
  const { limit, windowMs, cost = 1, dryRun = false } = policy;
  for (const name of ["keyGenerator", "skip"] as const) requireFunction(name, policy[name]);
  const fixedCost = typeof cost === "function" ? 0 : requireInteger("cost", cost, 0, MAX_COST);
  const isDryRun = requireBoolean("dryRun", dryRun);
  const ofKey = policy.keyGenerator?.bind(policy) ?? defaults.keyGenerator;
  const skip = policy.skip?.bind(policy);
  const policyOf = policyVariants(policy);
  // The numbers of a policy whose limit depends on the request do not matter for what it is used for.
  const usual = policyOf(
    typeof limit === "function" ? 1 : limit,
    typeof windowMs === "function" ? 1 : windowMs,
  );

  const isFixed = [limit, windowMs, cost].every((value) => typeof value === "number");
  const fixedCharge = (key: unknown): PolicyCost => ({
    policy: usual,
    key: requireKey(key),
    cost: fixedCost,
  });

  const chargeOf: ChargedPolicy["chargeOf"] = (request, response, address) => {
    function charge(): Eventually<PolicyCost> {
      const key =
        ofKey === undefined ? keyOf(address(), defaults.ipv6Prefix) : ofKey(request, response);
      if (isFixed) return whenKnown(key, fixedCharge);
      const numbers = [limit, windowMs, cost].map((value) => valueOf(value, request, response));
      return whenKnown(allKnown<unknown>([key, ...numbers]), ([ofRequest, ...known]) => ({
        policy: policyOf(known[0], known[1]),
        key: requireKey(ofRequest),
        cost: requireInteger("cost", known[2], 0, MAX_COST),
      }));
    }
    if (skip === undefined) return charge();
    return whenKnown(skip(request, response), (isSkipped) =>
      requireAnswer("skip", isSkipped) ? undefined : charge(),
    );
  };
  return { name: usual.name, isDryRun, policy: usual, chargeOf };
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

/** Returns the function that makes a policy of its numbers for one request. */
function policyVariants({
  name,
  algorithm,
  burst,
  strict,
  delayAfter,
}: RequestPolicy): (limit: unknown, windowMs: unknown) => CompletePolicy {
  const fixed = {
    ...(name !== undefined && { name }),
    ...(algorithm !== undefined && { algorithm }),
    ...(burst !== undefined && { burst }),
    ...(strict !== undefined && { strict }),
    ...(delayAfter !== undefined && { delayAfter }),
  };
  const variants = new Map<string, CompletePolicy>();
  return function policyOf(limit, windowMs) {
    const numbers = {
      limit: requireLimit("limit", limit),
      windowMs: requireWindowMs("windowMs", windowMs),
    };
    const form = `${numbers.limit}/${numbers.windowMs}`;
    const known = variants.get(form);
    if (known !== undefined) return known;
    const policy = parsePolicy({ ...fixed, ...numbers });
    if (variants.size === MAX_VARIANTS) variants.delete(variants.keys().next().value!);
    variants.set(form, policy);
    return policy;
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
