import type { RateLimitPolicy } from "./policy.ts";

/** Media type of problem details. */
export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** The problem details of a request beyond its quota. */
export interface QuotaExceededProblem {
  readonly type: "https://iana.org/assignments/http-problem-types#quota-exceeded";
  readonly title: string;
  readonly status: number;
  /** Names of the policies that refused the request. */
  readonly "violated-policies": readonly string[];
}

/**
 * Returns the problem details for a request that a policy, or several at once, refused.
 * `status` is the status code of the response.
 *
 * @see RFC 9457
 * @see draft-ietf-httpapi-ratelimit-headers-11 section 5.1
 */
export function quotaExceededProblem(
  policies: RateLimitPolicy | readonly RateLimitPolicy[],
  status: number = 429,
): QuotaExceededProblem {
  const violated = "limit" in policies ? [policies] : policies;
  return {
    type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    title: "Request cannot be satisfied as assigned quota has been exceeded",
    status,
    "violated-policies": violated.map(({ name = "default" }) => name),
  };
}

/** Returns `quotaExceededProblem` as JSON bytes, to be made once and sent many times. */
export function quotaExceededBody(
  policies: RateLimitPolicy | readonly RateLimitPolicy[],
  status: number = 429,
): Buffer {
  return Buffer.from(JSON.stringify(quotaExceededProblem(policies, status)));
}
