import type { Decision } from "./decision.ts";
import type { RateLimitPolicy } from "./policy.ts";

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
export function rateLimitFields(policy: RateLimitPolicy, decision: Decision): readonly string[] {
  const name = structuredString(policy.name ?? "default");
  const quota = `${name};q=${policy.limit};w=${wholeSeconds(policy.windowMs)}`;
  const waitMs = effectiveWindowMs(policy, decision);
  const window = Number.isFinite(waitMs) ? `;t=${wholeSeconds(waitMs)}` : "";
  const service = `${name};r=${decision.remaining}${window}`;
  const fields = ["ratelimit-policy", quota, "ratelimit", service];
  if (decision.kind === "limited" && Number.isFinite(decision.retryAfterMs)) {
    fields.push("retry-after", String(wholeSeconds(decision.retryAfterMs)));
  }
  return fields;
}

function effectiveWindowMs(policy: RateLimitPolicy, decision: Decision): number {
  if (decision.kind === "limited") return decision.retryAfterMs;
  if (decision.remaining > 0) return decision.resetMs;
  const { limit, windowMs, burst = limit } = policy;
  return decision.resetMs - ((burst - 1) * windowMs) / limit;
}

function wholeSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}

/** RFC 9651 section 4.1.6; the policy has made sure that the name is printable ASCII. */
function structuredString(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
