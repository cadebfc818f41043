import { formatSecurityTxt, SECURITY_TXT_PATHS, type SecurityTxtFields } from "@hauberk/headers";
import { type Answer, fieldList } from "./answer.ts";
import type { ServerEvent } from "./config.ts";
import type { RequestHead } from "./request-head.ts";

/** Answers requests for security.txt while it is valid, undefined for all others. */
export type SecurityTxtRoute = (head: RequestHead) => Answer | undefined;

/**
 * Returns the route of security.txt. Once expired it is not served any more: stale contacts are worse
 * than none. `now` returns milliseconds since the epoch.
 *
 * @throws {TypeError | RangeError} If a field is wrong.
 * @see RFC 9116
 */
export function createSecurityTxtRoute(
  fields: SecurityTxtFields,
  onEvent: (event: ServerEvent) => void,
  now: () => number = Date.now,
): SecurityTxtRoute {
  const file = formatSecurityTxt(fields, now());
  const body = Buffer.from(file.text);
  const answer: Answer = {
    kind: "answer",
    status: 200,
    fields: fieldList({
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-cache",
      "content-length": String(body.length),
    }),
    body,
  };
  let told: ServerEvent["kind"] | undefined;
  const isServed = (): boolean => {
    const state = file.state(now());
    const kind = `security-txt-${state}` as const;
    if (kind !== "security-txt-valid" && kind !== told) {
      told = kind;
      const verb = state === "expired" ? "expired" : "expires";
      const error = new Error(`security.txt ${verb} at ${file.expires.toISOString()}`);
      onEvent({ kind, error });
    }
    return state !== "expired";
  };
  isServed();
  return ({ method, path }) => {
    const isRead = method === "GET" || method === "HEAD";
    return isRead && SECURITY_TXT_PATHS.includes(path) && isServed() ? answer : undefined;
  };
}
