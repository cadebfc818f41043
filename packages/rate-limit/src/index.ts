export { addressKey } from "./address-key.ts";
export type { AddressKeyOptions } from "./address-key.ts";
export { clientAddress } from "./client-address.ts";
export type { AddressedRequest, ClientAddressOptions } from "./client-address.ts";
export type { Debtor } from "./debtors.ts";
export type {
  AdmittedDecision,
  Decision,
  LimitedDecision,
  SharedDecision,
  UnavailableDecision,
} from "./decision.ts";
export { RateLimitError } from "./errors.ts";
export type { RateLimitErrorCode } from "./errors.ts";
export { TICKS_PER_MS } from "./gcra.ts";
export { createHalfSipHash } from "./half-sip-hash.ts";
export type { KeyedHash } from "./half-sip-hash.ts";
export { createLimiter } from "./limiter.ts";
export type { Limiter, LimiterOptions } from "./limiter.ts";
export { MemoryStore } from "./memory-store.ts";
export type { MemoryStoreOptions } from "./memory-store.ts";
export type { RateLimitPolicy } from "./policy.ts";
export { PROBLEM_MEDIA_TYPE, quotaExceededBody, quotaExceededProblem } from "./problem-details.ts";
export type { QuotaExceededProblem } from "./problem-details.ts";
export { rateLimit } from "./rate-limit.ts";
export type {
  ForwardedHeader,
  RateLimitedRequest,
  RateLimitedResponse,
  RateLimitMiddleware,
  RateLimitOptions,
} from "./rate-limit.ts";
export { rateLimitFields } from "./rate-limit-headers.ts";
export { parseRate } from "./rate.ts";
export type { Charge, SharedStore } from "./shared-store.ts";
export type { Ledger, Store } from "./store.ts";
export { trustedProxies } from "./trusted-proxies.ts";
export type { TrustedProxies } from "./trusted-proxies.ts";
