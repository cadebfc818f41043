import { keyOf, requireIpv6Prefix } from "./address-key.ts";
import { createConcurrencyLimiter } from "./concurrency-limiter.ts";
import type { ConcurrencyLimiter } from "./concurrency-limiter.ts";
import { DelayedRequests } from "./delayed-requests.ts";
import { finalCostOf } from "./final-cost.ts";
import type { FinalCost } from "./final-cost.ts";
import { keyList } from "./key-list.ts";
import type { KeyList } from "./key-list.ts";
import { MemoryStore } from "./memory-store.ts";
import {
  quote,
  requireBoolean,
  requireFunction,
  requireInteger,
  requireKnownKeys,
  requireOneOf,
} from "./options.ts";
import { POLICY_KEYS } from "./policy.ts";
import { HEADER_FORMS } from "./rate-limit-headers.ts";
import type { RateLimitHeaderForm } from "./rate-limit-headers.ts";
import type {
  RateLimitedRequest,
  RateLimitEvent,
  RateLimitOptions,
  RateLimitPoliciesOptions,
  RequestPolicy,
} from "./rate-limit-options.ts";
import { refusalOf } from "./refusal.ts";
import { requestAddress } from "./request-address.ts";
import { localLimits, sharedLimits } from "./request-limits.ts";
import type { RequestLimits } from "./request-limits.ts";
import { chargedPolicy, networkPolicy } from "./request-policies.ts";
import type { ChargedPolicy, PolicyDefaults } from "./request-policies.ts";
import { createSharedCharges, isSharedStore } from "./shared-limiter.ts";

const REQUEST_POLICY_KEYS = {
  ...POLICY_KEYS,
  cost: true,
  keyGenerator: true,
  skip: true,
  dryRun: true,
} satisfies Record<keyof RequestPolicy, true>;

const RATE_LIMIT_KEYS = {
  ...REQUEST_POLICY_KEYS,
  policies: true,
  store: true,
  clock: true,
  trustedProxies: true,
  forwardedHeader: true,
  ipv6Prefix: true,
  ipv6Budgets: true,
  allow: true,
  deny: true,
  concurrency: true,
  maxWaiting: true,
  statusCode: true,
  message: true,
  headers: true,
  skipSuccessfulRequests: true,
  skipFailedRequests: true,
  requestWasSuccessful: true,
  finalCost: true,
  passOnStoreError: true,
  onUnavailable: true,
  fallback: true,
  handler: true,
  onEvent: true,
} satisfies Record<keyof RateLimitOptions | keyof RateLimitPoliciesOptions, true>;

const IPV6_BUDGET_KEYS = { 48: true, 56: true } satisfies Record<48 | 56, true>;

/** The options of `rateLimit`, checked and complete. */
export interface RateLimitSettings {
  readonly policies: readonly ChargedPolicy[];
  readonly limits: RequestLimits;
  readonly addressOf: (request: RateLimitedRequest) => string;
  /** The key of a request where no policy has one of its own. */
  readonly keyOf: (address: string) => string;
  readonly skip: RequestPolicy["skip"];
  readonly allow: KeyList | undefined;
  readonly deny: KeyList | undefined;
  readonly concurrency: ConcurrencyLimiter | undefined;
  readonly delayed: DelayedRequests;
  readonly headers: readonly RateLimitHeaderForm[];
  readonly finalCost: FinalCost | undefined;
  readonly passOnStoreError: boolean;
  readonly refuse: NonNullable<RateLimitOptions["handler"]>;
  readonly onEvent: (event: RateLimitEvent) => void;
}

/**
 * Returns the options of `rateLimit` checked and complete.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type, or two policies have one name.
 * @throws {RangeError} If a number is out of range.
 */
export function parseRateLimitOptions(
  options: RateLimitOptions | RateLimitPoliciesOptions,
): RateLimitSettings {
  requireKnownKeys("rateLimit", options, RATE_LIMIT_KEYS);
  for (const name of ["keyGenerator", "skip", "handler", "onEvent"] as const) {
    requireFunction(name, options[name]);
  }
  const ipv6Prefix = requireIpv6Prefix(options.ipv6Prefix);
  const statusCode = requireInteger("statusCode", options.statusCode ?? 429, 400, 599);
  const passOnStoreError = requireBoolean("passOnStoreError", options.passOnStoreError ?? false);
  const policies = parsePolicies(options, ipv6Prefix);
  return {
    policies,
    limits: limitsFor(policies, options, passOnStoreError),
    addressOf: requestAddress(options),
    keyOf: (address) => keyOf(address, ipv6Prefix),
    skip: options.skip?.bind(options),
    allow: options.allow === undefined ? undefined : keyList("allow", options.allow),
    deny: options.deny === undefined ? undefined : keyList("deny", options.deny),
    concurrency:
      options.concurrency === undefined
        ? undefined
        : createConcurrencyLimiter({
            limit: requireInteger("concurrency", options.concurrency, 0, 1_000_000),
          }),
    delayed: new DelayedRequests(
      requireInteger("maxWaiting", options.maxWaiting ?? 1000, 1, 1_000_000),
    ),
    headers: parseHeaders(options.headers ?? "draft-11"),
    finalCost: finalCostOf(options),
    passOnStoreError,
    refuse: options.handler?.bind(options) ?? refusalOf(statusCode, requireMessage(options)),
    onEvent: options.onEvent?.bind(options) ?? ((): void => undefined),
  };
}

function parsePolicies(
  options: RateLimitOptions | RateLimitPoliciesOptions,
  ipv6Prefix: number,
): readonly ChargedPolicy[] {
  const keyGenerator = options.keyGenerator?.bind(options);
  const defaults: PolicyDefaults = { keyGenerator, ipv6Prefix };
  const budgets = parseBudgets(options.ipv6Budgets ?? {});
  const charged: ChargedPolicy[] = [];
  for (const policy of requestPolicies(options)) {
    charged.push(chargedPolicy(policy, defaults));
    if (policy.keyGenerator !== undefined || keyGenerator !== undefined) continue;
    for (const [prefix, factor] of budgets) {
      charged.push(networkPolicy(policy, prefix, factor, defaults));
    }
  }
  const names = charged.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new TypeError(`"policies" must have different names, got ${quote(repeated)} twice`);
  }
  return charged;
}

function limitsFor(
  policies: readonly ChargedPolicy[],
  options: RateLimitOptions | RateLimitPoliciesOptions,
  passOnStoreError: boolean,
): RequestLimits {
  const { store = new MemoryStore(), onUnavailable, fallback } = options;
  const clock = options.clock === undefined ? {} : { clock: options.clock };
  const limits = isSharedStore(store)
    ? sharedLimits(
        createSharedCharges(policies, {
          store,
          onUnavailable: onUnavailable ?? (passOnStoreError ? "fail-open" : "fallback"),
          ...(fallback !== undefined && { fallback }),
          ...clock,
        }),
      )
    : localLimits({ store, ...clock });
  if (!isSharedStore(store) && (onUnavailable !== undefined || fallback !== undefined)) {
    const name = onUnavailable === undefined ? "fallback" : "onUnavailable";
    throw new TypeError(`"${name}" goes with a store that processes share only`);
  }
  for (const { policy } of policies) limits.require(policy);
  return limits;
}

function requestPolicies(
  options: RateLimitOptions | RateLimitPoliciesOptions,
): readonly RequestPolicy[] {
  if (!("policies" in options)) {
    const policy: RequestPolicy = { ...options };
    // The middleware asks these two itself, once for all its policies.
    delete policy.keyGenerator;
    delete policy.skip;
    return [policy];
  }
  const policies: unknown = options.policies;
  if (!Array.isArray(policies) || policies.length === 0) {
    throw new TypeError(`"policies" must be an array of policies, got ${quote(policies)}`);
  }
  for (const key of Object.keys(options)) {
    if (key === "keyGenerator" || key === "skip" || !Object.hasOwn(REQUEST_POLICY_KEYS, key))
      continue;
    throw new TypeError(`"${key}" belongs into "policies", got it beside them`);
  }
  for (const policy of options.policies) {
    requireKnownKeys("rateLimit policy", policy, REQUEST_POLICY_KEYS);
  }
  return options.policies;
}

function parseBudgets(
  budgets: NonNullable<RateLimitOptions["ipv6Budgets"]>,
): readonly (readonly [48 | 56, number])[] {
  requireKnownKeys("ipv6Budgets", budgets, IPV6_BUDGET_KEYS);
  return ([56, 48] as const).flatMap((prefix) => {
    const factor = budgets[prefix];
    return factor === undefined ? [] : [[prefix, factor] as const];
  });
}

function parseHeaders(headers: unknown): readonly RateLimitHeaderForm[] {
  const forms: readonly unknown[] = Array.isArray(headers) ? headers : [headers];
  const known = forms.map((form) => requireOneOf("headers", form, HEADER_FORMS));
  // The drafts share field names: two of them would spoil each other's fields.
  if (known.filter((form) => form !== "legacy").length > 1) {
    throw new TypeError(`"headers" must name one draft at most, got ${quote(headers)}`);
  }
  return known;
}

function requireMessage({
  message,
}: Pick<RateLimitOptions, "message">): RateLimitOptions["message"] {
  const given: unknown = message;
  if (given !== null && ["string", "object", "function", "undefined"].includes(typeof given)) {
    return message;
  }
  throw new TypeError(`"message" must be text, an object or a function, got ${quote(message)}`);
}
