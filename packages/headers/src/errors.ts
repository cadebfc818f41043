/** Codes are stable API; docs/errors.md has one section per code. */
export type HeadersErrorCode =
  | "ERR_HEADERS_ALREADY_SENT"
  | "ERR_HEADERS_DIRECTIVE_THREW"
  | "ERR_HEADERS_DIRECTIVE_VALUE"
  | "ERR_HEADERS_POLICY_TOO_LONG"
  | "ERR_HEADERS_REPORT_STORE"
  | "ERR_HEADERS_SQLITE_UNAVAILABLE";

/** Describes a failure a correct program must expect; misuse throws TypeError or RangeError instead. */
export class HeadersError extends Error {
  override readonly name: string = "HeadersError";
  readonly code: HeadersErrorCode;

  constructor(code: HeadersErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
