/** Codes are stable API; docs/errors.md has one section per code. */
export type CertErrorCode =
  | "ERR_CERT_AUTHORITY_EXPIRED"
  | "ERR_CERT_AUTHORITY_INCOMPLETE"
  | "ERR_CERT_AUTHORITY_INVALID"
  | "ERR_CERT_AUTHORITY_MISMATCH"
  | "ERR_CERT_AUTHORITY_MISSING"
  | "ERR_CERT_AUTHORITY_NOT_YET_VALID"
  | "ERR_CERT_AUTHORITY_PASSPHRASE"
  | "ERR_CERT_AUTHORITY_PERMISSIONS"
  | "ERR_CERT_CONNECTION"
  | "ERR_CERT_KEY_INVALID"
  | "ERR_CERT_LOCKED"
  | "ERR_CERT_NAME_NOT_PERMITTED"
  | "ERR_CERT_PASSWORD"
  | "ERR_CERT_REQUEST_REFUSED"
  | "ERR_CERT_STORAGE";

/** Thrown for failures a correct program must expect; misuse throws TypeError or RangeError instead. */
export class CertError extends Error {
  override readonly name: string = "CertError";
  /** What went wrong; compare this rather than the message. */
  readonly code: CertErrorCode;

  constructor(code: CertErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
