/** Codes are stable API; the README explains each one. */
export type TlsErrorCode =
  | "ERR_TLS_CERTIFICATE_EXPIRED"
  | "ERR_TLS_CERTIFICATE_INVALID"
  | "ERR_TLS_CERTIFICATE_MISSING"
  | "ERR_TLS_CERTIFICATE_NOT_YET_VALID"
  | "ERR_TLS_CERTIFICATE_PURPOSE"
  | "ERR_TLS_CHAIN_ORDER"
  | "ERR_TLS_FILE_UNREADABLE"
  | "ERR_TLS_KEY_INVALID"
  | "ERR_TLS_KEY_MISMATCH"
  | "ERR_TLS_KEY_UNSUITABLE";

/** Thrown for failures a correct program must expect; misuse throws TypeError or RangeError instead. */
export class TlsError extends Error {
  override readonly name: string = "TlsError";
  readonly code: TlsErrorCode;

  constructor(code: TlsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
