/** Codes are stable API; docs/errors.md has one section per code. */
export type ServerErrorCode =
  "ERR_SERVER_ALREADY_LISTENING" | "ERR_SERVER_LISTEN_FAILED" | "ERR_SERVER_ROOT_UNREADABLE";

/** Thrown for failures a correct program must expect; misuse throws TypeError or RangeError instead. */
export class ServerError extends Error {
  override readonly name: string = "ServerError";
  readonly code: ServerErrorCode;
  constructor(code: ServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
