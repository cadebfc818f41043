import { effectiveDirective } from "./csp-fallbacks.ts";
import { readPolicy, type PolicySource } from "./serialized-policy.ts";

/** How what one directive governs differs between two policies. */
export interface DirectiveChange {
  readonly directive: string;
  /**
   * `"restricted"` and `"unrestricted"` where only one of the policies restricts it at all,
   * `"changed"` where both do.
   */
  readonly kind: "changed" | "restricted" | "unrestricted";
  /** Entries that only the second policy has. */
  readonly added: readonly string[];
  /** Entries that only the first policy has. */
  readonly removed: readonly string[];
}

function without(entries: readonly string[], others: readonly string[]): readonly string[] {
  return entries.filter((entry) => !others.includes(entry));
}

/**
 * Returns what differs between two policies, in the order of their directives. What a policy leaves to
 * default-src is compared by default-src, so that spelling it out is no difference.
 *
 * @throws {TypeError} If a policy given as data has a misspelt directive or a malformed entry.
 */
export function diffPolicies(
  before: PolicySource,
  after: PolicySource,
): readonly DirectiveChange[] {
  const [old, current] = [readPolicy(before), readPolicy(after)];
  const changes: DirectiveChange[] = [];
  for (const directive of new Set([...old.keys(), ...current.keys()])) {
    const oldName = effectiveDirective(old, directive);
    const newName = effectiveDirective(current, directive);
    const oldEntries = old.get(oldName ?? "") ?? [];
    const newEntries = current.get(newName ?? "") ?? [];
    const added = without(newEntries, oldEntries);
    const removed = without(oldEntries, newEntries);
    const kind =
      oldName === undefined ? "restricted" : newName === undefined ? "unrestricted" : "changed";
    if (kind === "changed" && added.length === 0 && removed.length === 0) continue;
    changes.push({ directive, kind, added, removed });
  }
  return changes;
}

const NOTES = {
  changed: "",
  restricted: " (unrestricted before)",
  unrestricted: " (unrestricted now)",
} as const;

/** Returns the changes as text, one entry per line: `+` for what is allowed now, `-` for what no longer is. */
export function formatPolicyDiff(changes: readonly DirectiveChange[]): string {
  return changes
    .flatMap(({ directive, kind, added, removed }) => [
      `  ${directive}${NOTES[kind]}`,
      ...removed.map((entry) => `-   ${entry}`),
      ...added.map((entry) => `+   ${entry}`),
    ])
    .join("\n");
}
