import type { RateLimitedResponse } from "./rate-limit-options.ts";

/** Calls `listener` once the response is closed, sent or not: now, if it is closed already. */
export function whenClosed(response: RateLimitedResponse, listener: () => void): void {
  if (isClosed(response)) listener();
  else response.once("close", listener);
}

function isClosed(response: RateLimitedResponse): boolean {
  return "stream" in response ? response.stream.destroyed : response.destroyed;
}
