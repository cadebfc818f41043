import {
  directiveEntries,
  NONCE_SOURCE,
  WAIVED,
  type ContentSecurityPolicyDirectives,
  type DirectiveValue,
  type EntryFunction,
} from "./content-security-policy.ts";
import { DIRECTIVE_KINDS, INLINE_CONTENT, type DirectiveName } from "./csp-directives.ts";
import { effectiveDirective, hasFallback } from "./csp-fallbacks.ts";

type Entry = string | EntryFunction;

/** Directives that name one thing: another one takes its place. */
const SINGLE_VALUED: ReadonlySet<DirectiveName> = new Set(["report-to", "webrtc"]);

/** What inline content is admitted by has no meaning where nothing is inline. */
function carriesOver(name: DirectiveName, entry: Entry): boolean {
  if (INLINE_CONTENT.has(name) || typeof entry !== "string") return true;
  return entry !== NONCE_SOURCE && !/^'(?:sha\d+-|strict-dynamic)/.test(entry);
}

/** Returns what the base allows there before the change, by its own directive or another that decides. */
function entriesBefore(
  base: ReadonlyMap<string, readonly Entry[]>,
  name: DirectiveName,
): readonly Entry[] {
  const own = base.get(name);
  if (own !== undefined || !hasFallback(name)) return own ?? [];
  const deciding = effectiveDirective(base, name);
  const inherited = deciding === undefined ? [] : (base.get(deciding) ?? []);
  return inherited.filter((entry) => carriesOver(name, entry));
}

function mergeEntries(
  name: DirectiveName,
  before: readonly Entry[],
  added: readonly Entry[],
): readonly Entry[] {
  if (SINGLE_VALUED.has(name) || DIRECTIVE_KINDS[name] === "flag") return added;
  if (added.length === 1 && added[0] === "'none'") return added;
  const entries = new Set([...before, ...added]);
  if (entries.size > 1) entries.delete("'none'");
  return [...entries];
}

/**
 * Returns `base` with the sources of `change` added: plain directives, for
 * `contentSecurityPolicy.directives` with `useDefaults: false`. `["'none'"]` closes a directive,
 * `null` takes one out. A source for something that only default-src decided so far is added to what
 * default-src allows, not put in its place. `diffPolicies(base, merged)` shows the difference.
 *
 * A base without frame-ancestors, form-action or base-uri restricts none of these; adding one does.
 *
 * @throws {TypeError} If a directive is unknown, or an entry malformed.
 */
export function mergePolicy(
  base: ContentSecurityPolicyDirectives,
  change: ContentSecurityPolicyDirectives,
): ContentSecurityPolicyDirectives {
  const merged = new Map<DirectiveName, DirectiveValue>();
  const entries = new Map<DirectiveName, readonly Entry[]>();
  for (const [name, value] of directiveEntries("base", base)) {
    if (typeof value !== "string") entries.set(name, value);
    // A removal stays one, else the preset's directive would come back.
    merged.set(name, typeof value === "string" ? removal(value) : value);
  }
  for (const [name, added] of directiveEntries("change", change)) {
    merged.set(
      name,
      typeof added === "string"
        ? removal(added)
        : mergeEntries(name, entriesBefore(entries, name), added),
    );
  }
  return Object.fromEntries(merged);
}

function removal(kind: "removed" | "waived"): null | symbol {
  return kind === "removed" ? null : WAIVED;
}
