import type { JointDecision } from "./consume-all.ts";
import type { SharedDecision } from "./decision.ts";
import { fieldsOfForm, retryAfterField } from "./rate-limit-headers.ts";
import type { RateLimitHeaderForm } from "./rate-limit-headers.ts";
import type { RateLimitedResponse } from "./rate-limit-options.ts";

/** Sets the fields that state a decision, after those that an earlier rate limit has set. */
export function setFields(
  response: RateLimitedResponse,
  forms: readonly RateLimitHeaderForm[],
  joint: JointDecision<SharedDecision>,
): void {
  const tightest = joint.decisions.find(({ policy }) => policy === joint.policy);
  if (tightest === undefined) return;
  for (const form of forms) {
    const fields = fieldsOfForm(form, joint.decisions, tightest, Date.now());
    for (let index = 0; index < fields.length; index += 2) {
      setField(response, fields[index]!, fields[index + 1]!, form === "draft-11");
    }
  }
  const [name, value] = retryAfterField(joint);
  if (name !== undefined) setField(response, name, value!, false);
}

function setField(
  response: RateLimitedResponse,
  name: string,
  value: string,
  isList: boolean,
): void {
  const earlier = isList ? response.getHeader(name) : undefined;
  response.setHeader(name, earlier === undefined ? value : `${String(earlier)}, ${value}`);
}
