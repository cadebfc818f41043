import {
  directiveEntries,
  type ContentSecurityPolicyDirectives,
} from "./content-security-policy.ts";

/** A policy as one reads it: a header's value, or directives as `securityHeaders()` takes them. */
export type PolicySource = string | ContentSecurityPolicyDirectives;

/** A policy taken apart, nothing judged: names and values are whatever the text held. */
export interface SerializedPolicy {
  /** Values by lower-case name, in the order of the text. */
  readonly directives: ReadonlyMap<string, readonly string[]>;
  /** Names that came again; browsers ignore all but the first. */
  readonly repeated: readonly string[];
}

const COMPUTED = "(computed for each response)";

/**
 * Returns the directives of one policy in a header's value.
 *
 * @see CSP Level 3 section 2.2.1
 */
export function parseSerializedPolicy(text: string): SerializedPolicy {
  const directives = new Map<string, readonly string[]>();
  const repeated: string[] = [];
  for (const token of text.split(";")) {
    const [name = "", ...values] = token.split(/[\t\n\f\r ]+/).filter((word) => word !== "");
    const key = name.toLowerCase();
    if (key === "") continue;
    if (directives.has(key)) repeated.push(key);
    else directives.set(key, values);
  }
  return { directives, repeated };
}

/**
 * Returns values by name, a function standing as "(computed for each response)".
 *
 * @throws {TypeError} If directives given as data are misspelt or malformed.
 */
export function readPolicy(policy: PolicySource): ReadonlyMap<string, readonly string[]> {
  if (typeof policy === "string") return parseSerializedPolicy(policy).directives;
  const directives = new Map<string, readonly string[]>();
  for (const [name, entries] of directiveEntries("policy", policy)) {
    if (typeof entries === "string") continue;
    directives.set(
      name,
      entries.map((entry) => (typeof entry === "string" ? entry : COMPUTED)),
    );
  }
  return directives;
}
