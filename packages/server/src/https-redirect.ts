import { type Refusal, refusal } from "./answer.ts";
import type { RequestHead } from "./request-head.ts";

/**
 * Returns the 308 that sends a plain HTTP request to the same host and target over HTTPS,
 * or 400 for a request that names no host. The host was checked before; the target cannot change it,
 * as it follows a whole authority.
 *
 * @see RFC 9110 section 15.4.9
 */
export function redirectToHttps(head: RequestHead, httpsPort: number): Refusal {
  if (head.authority === "") return refusal(400);
  const host = head.authority.replace(/:\d*$/, "");
  const port = httpsPort === 443 ? "" : `:${httpsPort}`;
  const target = head.target === "*" ? "/" : head.target;
  return refusal(308, ["location", `https://${host}${port}${target}`]);
}
