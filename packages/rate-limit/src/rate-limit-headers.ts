import type { PolicyDecision } from "./consume-all.ts";
import type { SharedDecision } from "./decision.ts";
import { TICKS_PER_MS } from "./gcra.ts";
import { policyInterval, usualBurst } from "./policy.ts";
import type { RateLimitPolicy } from "./policy.ts";

/**
 * Which header fields tell a client about its limits:
 *
 * - `"draft-11"`: RateLimit-Policy and RateLimit, every policy by name
 *   (draft-ietf-httpapi-ratelimit-headers-08 to -11).
 * - `"draft-7"`: the same two fields in the form of -07, for one policy.
 * - `"draft-6"`: RateLimit-Limit, -Remaining, -Reset (seconds from now) and RateLimit-Policy.
 * - `"legacy"`: X-RateLimit-Limit, -Remaining and -Reset (seconds since 1970).
 */
export type RateLimitHeaderForm = "draft-11" | "draft-7" | "draft-6" | "legacy";

export const HEADER_FORMS: readonly RateLimitHeaderForm[] = [
  "draft-11",
  "draft-7",
  "draft-6",
  "legacy",
];

/** What the fields say about one policy. */
type StatedDecision = Omit<PolicyDecision, "policy"> & { readonly policy: RateLimitPolicy };

/**
 * Returns the header fields that tell a client about a decision, as a flat list of lower-case names
 * and values: `ratelimit-policy`, `ratelimit`, and `retry-after` when the request was refused for a
 * time. Seconds, rounded up.
 *
 * `t` is such that a client which makes no more than `r` requests within it is not refused: the time
 * until the whole burst is back, or, with `r` at 0, until the next request is earned. Retry-After is
 * never earlier. A request that can never be admitted gets neither.
 *
 * @see draft-ietf-httpapi-ratelimit-headers-11 sections 3, 4 and 6
 */
export function rateLimitFields(
  policy: RateLimitPolicy,
  decision: SharedDecision,
): readonly string[] {
  return [...draft11Fields([{ policy, decision }]), ...retryAfterField(decision)];
}

/**
 * Returns the fields of one form for the decisions about a request, without Retry-After. Those forms
 * that know one policy only state `tightest`. `epochMs` is the time since 1970.
 */
export function fieldsOfForm(
  form: RateLimitHeaderForm,
  decisions: readonly StatedDecision[],
  tightest: StatedDecision,
  epochMs: number,
): readonly string[] {
  if (form === "draft-11") return draft11Fields(decisions);
  const { policy, decision } = tightest;
  if (decision.kind === "unavailable") return [];
  const { limit, remaining } = decision;
  const waitMs = effectiveWindowMs(policy, decision);
  const quota = `${policy.limit};w=${wholeSeconds(policy.windowMs)}`;
  const reset = Number.isFinite(waitMs) ? wholeSeconds(waitMs) : wholeSeconds(policy.windowMs);
  if (form === "draft-7") {
    const state = `limit=${limit}, remaining=${remaining}, reset=${reset}`;
    return ["ratelimit-policy", quota, "ratelimit", state];
  }
  const prefix = form === "legacy" ? "x-ratelimit" : "ratelimit";
  const at = form === "legacy" ? wholeSeconds(epochMs) + reset : reset;
  const fields = [
    `${prefix}-limit`,
    String(limit),
    `${prefix}-remaining`,
    String(remaining),
    `${prefix}-reset`,
    String(at),
  ];
  return form === "legacy" ? fields : ["ratelimit-policy", quota, ...fields];
}

/** Returns Retry-After for a request that was refused for a time, or nothing. */
export function retryAfterField(decision: SharedDecision): readonly string[] {
  if (decision.kind !== "limited" || !Number.isFinite(decision.retryAfterMs)) return [];
  return ["retry-after", String(wholeSeconds(decision.retryAfterMs))];
}

function draft11Fields(decisions: readonly StatedDecision[]): readonly string[] {
  let quotas = "";
  let services = "";
  for (const { policy, decision, unit } of decisions) {
    const { name, quota } = statementOf(policy);
    const window = unit === undefined ? `;w=${wholeSeconds(policy.windowMs)}` : `;qu="${unit}"`;
    quotas += `${quotas === "" ? "" : ", "}${quota}${window}`;
    if (decision.kind === "unavailable") continue;
    const waitMs = unit === undefined ? effectiveWindowMs(policy, decision) : Infinity;
    const time = Number.isFinite(waitMs) ? `;t=${wholeSeconds(waitMs)}` : "";
    services += `${services === "" ? "" : ", "}${name};r=${decision.remaining}${time}`;
  }
  if (services === "") return ["ratelimit-policy", quotas];
  return ["ratelimit-policy", quotas, "ratelimit", services];
}

/** What the fields say of a policy whatever is decided: its name, and its name with its quota. */
interface Statement {
  readonly name: string;
  readonly quota: string;
}

/** Of policies that are in use and cannot change: entries go with them. */
const statements = new WeakMap<RateLimitPolicy, Statement>();

function statementOf(policy: RateLimitPolicy): Statement {
  const known = statements.get(policy);
  if (known !== undefined) return known;
  const name = structuredString(policy.name ?? "default");
  const statement = { name, quota: `${name};q=${policy.limit}` };
  if (Object.isFrozen(policy)) statements.set(policy, statement);
  return statement;
}

function effectiveWindowMs(
  policy: RateLimitPolicy,
  decision: Exclude<SharedDecision, { kind: "unavailable" }>,
): number {
  if (decision.kind === "limited") return decision.retryAfterMs;
  const { limit, windowMs, algorithm = "gcra", strict = false } = policy;
  if (decision.remaining > 0 || algorithm !== "gcra") return decision.resetMs;
  const { burst = usualBurst(limit, strict) } = policy;
  const interval = policyInterval({ limit, windowMs, burst, strict });
  // In ticks again: in floating milliseconds the difference can come out just above a whole second.
  const ticks = Math.round(decision.resetMs * TICKS_PER_MS) - (burst - 1) * interval;
  return Math.max(ticks, 0) / TICKS_PER_MS;
}

function wholeSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}

/** RFC 9651 section 4.1.6; the policy has made sure that the name is printable ASCII. */
function structuredString(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
