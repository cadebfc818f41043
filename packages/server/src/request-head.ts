/**
 * Everything a stage may know of a request: an immutable value, made by the reader of one protocol
 * after the gate of `request-gate.ts` let the request pass.
 */
export interface RequestHead {
  readonly method: string;
  readonly scheme: "https" | "http";
  /** The Host field or `:authority` in lower case, `host[:port]`; empty for HTTP/1.0 without Host. */
  readonly authority: string;
  /** Path and query in origin form, as received. */
  readonly target: string;
  /** The path of `target`, still percent-encoded. */
  readonly path: string;
  /** The query of `target` with its question mark, or an empty string. */
  readonly query: string;
  /** The client's address in canonical form, behind trusted proxies if there are any. */
  readonly address: string;
  /** For the access log: `HTTP/1.0`, `HTTP/1.1` or `HTTP/2.0`. */
  readonly protocol: string;
  /** True when the request announces content of more than 64 KiB or of unknown length. */
  readonly hasLargeContent: boolean;
  /** Value of a request field by its lower-case name; repeated lines are joined as node:http does. */
  readonly field: (name: string) => string | undefined;
}
