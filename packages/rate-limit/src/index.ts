export { addressKey } from "./address-key.ts";
export type { AddressKeyOptions } from "./address-key.ts";
export { BanList } from "./ban-list.ts";
export type { Ban, BanEvent, BanListOptions, BanOptions } from "./ban-list.ts";
export { banLogLine } from "./ban-log.ts";
export { clientAddress } from "./client-address.ts";
export type { AddressedRequest, ClientAddressOptions } from "./client-address.ts";
export { createConnectionLimit } from "./connection-limit.ts";
export type {
  ConnectionDecision,
  ConnectionLimit,
  ConnectionLimitOptions,
  ConnectionMetrics,
  ConnectionRefusal,
  ConnectionRefusedEvent,
} from "./connection-limit.ts";
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
export { createConcurrencyLimiter } from "./concurrency-limiter.ts";
export type {
  ConcurrencyDecision,
  ConcurrencyLimiter,
  ConcurrencyLimiterOptions,
} from "./concurrency-limiter.ts";
export { compositeKey } from "./composite-key.ts";
export { consumeAll } from "./consume-all.ts";
export type { JointDecision, PolicyCharge, PolicyDecision } from "./consume-all.ts";
export type { Eventually } from "./eventually.ts";
export { createLimiter } from "./limiter.ts";
export type { Limiter, LimiterOptions } from "./limiter.ts";
export { createLoginGuard } from "./login-guard.ts";
export type {
  FailureBudget,
  LoginAttempt,
  LoginGuard,
  LoginGuardOptions,
  LoginOutcome,
} from "./login-guard.ts";
export { MemoryStore } from "./memory-store.ts";
export type { MemoryStoreOptions } from "./memory-store.ts";
export type { LimiterMetrics } from "./metrics.ts";
export type { CompletePolicy, RateLimitAlgorithm, RateLimitPolicy } from "./policy.ts";
export { nginxPolicy } from "./nginx-policy.ts";
export type { NginxLimitReq } from "./nginx-policy.ts";
export { PROMETHEUS_MEDIA_TYPE, prometheusText } from "./prometheus.ts";
export { PROBLEM_MEDIA_TYPE, quotaExceededBody, quotaExceededProblem } from "./problem-details.ts";
export type { QuotaExceededProblem } from "./problem-details.ts";
export { rateLimit } from "./rate-limit.ts";
export type { RateLimitMiddleware } from "./rate-limit.ts";
export type {
  OfRequest,
  RateLimitedRequest,
  RateLimitedResponse,
  RateLimitEvent,
  RateLimitOptions,
  RateLimitPoliciesOptions,
  RefusingDecision,
  RequestLimitOptions,
  RequestPolicy,
} from "./rate-limit-options.ts";
export { rateLimitFields } from "./rate-limit-headers.ts";
export type { RateLimitHeaderForm } from "./rate-limit-headers.ts";
export type { ForwardedHeader } from "./request-address.ts";
export { parseRate } from "./rate.ts";
export { createSharedLimiter } from "./shared-limiter.ts";
export type {
  FallbackOptions,
  SharedKey,
  SharedLimiter,
  SharedLimiterOptions,
  StoreUnavailableEvent,
} from "./shared-limiter.ts";
export type { UnavailableAction } from "./shared-charges.ts";
export { SharedMemoryStore } from "./shared-memory-store.ts";
export type { SharedMemoryStoreOptions } from "./shared-memory-store.ts";
export type { Charge, SharedStore } from "./shared-store.ts";
export type { Ledger, Store } from "./store.ts";
export { normalizeUsername } from "./username.ts";
export { trustedProxies } from "./trusted-proxies.ts";
export type { TrustedProxies } from "./trusted-proxies.ts";
