import { RateLimitError } from "../errors.ts";
import { DeadlinePassed } from "./charge-queue.ts";

/** Refusals that no retry mends: credentials, permissions, commands that are switched off. */
const REFUSAL =
  /^(?:WRONGPASS|NOAUTH|NOPERM|ERR (?:invalid password|Client sent AUTH|unknown command))\b/;

export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && REFUSAL.test(error.message);
}

/** Tells whether a server is silent, or no master any more: another one may have its place. */
export function isServerGone(error: unknown): boolean {
  return error instanceof DeadlinePassed || /^(?:READONLY|MASTERDOWN)\b/.test(messageOf(error));
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof RateLimitError && error.code === "ERR_RATE_LIMIT_STORE_UNAVAILABLE";
}

export function unavailable(cause: unknown): RateLimitError {
  return new RateLimitError(
    "ERR_RATE_LIMIT_STORE_UNAVAILABLE",
    `Cannot reach Redis: ${messageOf(cause)}`,
    { cause },
  );
}

export function refused(cause: Error): RateLimitError {
  return new RateLimitError(
    "ERR_RATE_LIMIT_STORE_REFUSED",
    `Cannot use Redis: ${cause.message}; check user, password and permissions`,
    { cause },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
