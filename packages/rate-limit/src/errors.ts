/** Codes are stable API; docs/errors.md has one section per code. */
export type RateLimitErrorCode =
  "ERR_RATE_LIMIT_STORE_REFUSED" | "ERR_RATE_LIMIT_STORE_UNAVAILABLE";

/** Thrown for failures a correct program must expect; misuse throws TypeError or RangeError instead. */
export class RateLimitError extends Error {
  override readonly name: string = "RateLimitError";
  readonly code: RateLimitErrorCode;

  constructor(code: RateLimitErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
