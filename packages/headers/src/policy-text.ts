import { NONCE_SOURCE, type Directive } from "./content-security-policy.ts";
import { DIRECTIVE_KINDS, INLINE_CONTENT, type DirectiveName } from "./csp-directives.ts";

/** Sources, with their quotes, for the scripts and styles that a page itself contains. */
export interface InlineSources {
  readonly scripts: readonly string[];
  readonly styles: readonly string[];
  /** Hashes of event-handler attributes. */
  readonly handlers?: readonly string[];
  /** Hashes of style attributes. */
  readonly styleAttributes?: readonly string[];
}

/** A directive whose functions have been called: nothing but text is left. */
export interface ResolvedDirective {
  readonly name: DirectiveName;
  readonly entries: readonly string[];
}

/** What differs between two responses under one policy. */
export interface PolicyContext {
  readonly secure: boolean;
  readonly inline: InlineSources;
}

export const NO_INLINE_SOURCES: InlineSources = { scripts: [], styles: [] };

/**
 * Longest policy that is sent, in characters. Proxies commonly give a response's whole head 4 or
 * 8 KB (nginx `proxy_buffer_size`), and Node's client 16 KB.
 */
export const MAX_POLICY_CHARACTERS = 8192;

/**
 * Replaces the nonce's place by what the page contains. Without a nonce or hash a browser would
 * start to honour `'unsafe-inline'` and, once 'strict-dynamic' is gone, the fallback hosts, which
 * are there for old browsers only: both have to go with it.
 *
 * @see CSP Level 3 section 6.7.3.2
 */
function inlineEntries(
  name: DirectiveName,
  entries: readonly string[],
  inline: InlineSources,
): readonly string[] {
  if (!entries.includes(NONCE_SOURCE)) return entries;
  const sources = new Set(INLINE_CONTENT.get(name)?.flatMap((content) => inline[content]));
  const filled = entries.flatMap((entry) => (entry === NONCE_SOURCE ? [...sources] : [entry]));
  if (filled.some((entry) => /^'(?:nonce|sha\d+)-/.test(entry)) || sources.size > 0) return filled;
  return filled.includes("'strict-dynamic'")
    ? []
    : filled.filter((entry) => entry !== "'unsafe-inline'");
}

/** The directives that decide about an attribute, the first that is there alone. */
const ATTRIBUTE_CHAINS = {
  handlers: ["script-src-attr", "script-src", "default-src"],
  styleAttributes: ["style-src-attr", "style-src", "default-src"],
} as const;

/** Admits hashed attributes in a directive of their own: the same text as an element stays blocked. */
function admitAttributes(
  directives: readonly ResolvedDirective[],
  inline: InlineSources,
  content: keyof typeof ATTRIBUTE_CHAINS,
): readonly ResolvedDirective[] {
  const hashes = inline[content] ?? [];
  const [name, ...fallbacks] = ATTRIBUTE_CHAINS[content];
  const find = (wanted: DirectiveName): ResolvedDirective | undefined =>
    directives.find((directive) => directive.name === wanted);
  const own = find(name);
  const governing = own ?? fallbacks.map(find).find((directive) => directive !== undefined);
  if (hashes.length === 0 || governing === undefined) return directives;
  const filled = inlineEntries(governing.name, governing.entries, inline);
  // A hash would put 'unsafe-inline' out of force, and with it what the policy admits so far.
  if (filled.includes("'unsafe-inline'") && !filled.some(overridesUnsafeInline)) return directives;
  const kept = (own?.entries ?? filled.filter((entry) => entry === "'report-sample'")).filter(
    (entry) => entry !== "'none'" && entry !== "'unsafe-hashes'",
  );
  const admitting = { name, entries: [...kept, "'unsafe-hashes'", ...hashes] };
  return [...directives.filter((directive) => directive !== own), admitting];
}

/** Whether browsers ignore `'unsafe-inline'` beside this entry. */
function overridesUnsafeInline(entry: string): boolean {
  return entry === "'strict-dynamic'" || /^'(?:nonce|sha\d+)-/.test(entry);
}

/** Returns the directive, or undefined where one without entries would say nothing. */
function directiveText(
  { name, entries }: ResolvedDirective,
  inline: InlineSources,
): string | undefined {
  const filled = inlineEntries(name, entries, inline);
  if (filled.length > 0) return `${name} ${filled.join(" ")}`;
  const kind = DIRECTIVE_KINDS[name];
  if (kind === "sources" || kind === "ancestors") return `${name} 'none'`;
  return kind === "flag" || kind === "sandbox" || kind === "trusted-types" ? name : undefined;
}

/** Returns the header's value for one response. */
export function policyText(
  directives: readonly ResolvedDirective[],
  context: PolicyContext,
): string {
  const { inline } = context;
  const withHandlers = admitAttributes(directives, inline, "handlers");
  return admitAttributes(withHandlers, inline, "styleAttributes")
    .filter(({ name }) => context.secure || name !== "upgrade-insecure-requests")
    .map((directive) => directiveText(directive, inline))
    .filter((text) => text !== undefined)
    .join(";");
}

/** Whether a nonce or hash would change the policy. */
export function usesNonce(directives: readonly Directive[]): boolean {
  return directives.some(({ entries }) => entries.includes(NONCE_SOURCE));
}
