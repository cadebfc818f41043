import { isDirectiveName, type DirectiveName } from "../csp-directives.ts";
import { effectiveDirective } from "../csp-fallbacks.ts";
import { echo, optionRecord } from "../option-checks.ts";
import { diffPolicies, formatPolicyDiff } from "../policy-diff.ts";
import { readPolicy } from "../serialized-policy.ts";
import { learnedSource } from "./learned-source.ts";
import { integerOption } from "./option-values.ts";
import { MAX_REPORTERS } from "./report-entry.ts";
import type { ReportEntry } from "./violation.ts";

/** A source to add to a directive. */
export interface PolicyChange {
  readonly directive: DirectiveName;
  readonly source: string;
  /** Reports that ask for it. */
  readonly count: number;
  /** Distinct clients among them; counted up to 16. */
  readonly reporters: number;
  /** Some of the pages, at most 5. */
  readonly pages: readonly string[];
  /** What to make sure of first, where the source lets code run. */
  readonly caution: string | undefined;
}

/** Violations that no change is proposed for. */
export interface DeclinedChange {
  readonly directive: DirectiveName;
  readonly blocked: string;
  readonly count: number;
  readonly reporters: number;
  readonly reason: string;
}

/** What to change about a policy so that it admits what was reported; to be read and accepted by hand. */
export interface PolicyProposal {
  readonly changes: readonly PolicyChange[];
  readonly declined: readonly DeclinedChange[];
  /** The policy with all changes. */
  readonly policy: string;
  /** What the changes add, one source per line with `+` before it, below its directive; "" for nothing. */
  readonly diff: string;
}

/** What to learn from. */
export interface ProposePolicyOptions {
  /** The policy as it is sent. */
  readonly policy: string;
  readonly entries: Iterable<ReportEntry>;
  /**
   * Clients that must have reported a thing before a change is proposed, 1 to 16. Anybody can send
   * reports: a change that one client alone asks for may be an attacker's wish.
   *
   * @default 3
   */
  readonly minReporters?: number;
}

const KNOWN_OPTIONS = {
  policy: true,
  entries: true,
  minReporters: true,
} satisfies Record<keyof ProposePolicyOptions, true>;

export const DEFAULT_MIN_REPORTERS = 3;
const MAX_PAGES = 5;

/** What many reports ask for together. */
interface Wish {
  readonly directive: DirectiveName;
  readonly source: string;
  readonly caution: string | undefined;
  readonly blocked: string;
  readonly pages: Set<string>;
  readonly reporters: Set<string>;
  count: number;
}

/**
 * Proposes the narrowest change of a Content-Security-Policy that would have admitted what was
 * reported, and says for everything else why not. It changes nothing by itself.
 *
 * @throws {TypeError | RangeError} If an option is unknown, malformed or out of range.
 */
export function proposePolicy(options: ProposePolicyOptions): PolicyProposal {
  optionRecord("proposePolicy options", options, KNOWN_OPTIONS);
  const before = parsePolicy(options.policy);
  const minReporters = integerOption(
    "minReporters",
    options.minReporters ?? DEFAULT_MIN_REPORTERS,
    {
      min: 1,
      max: MAX_REPORTERS,
    },
  );
  const declined: DeclinedChange[] = [];
  const wishes = new Map<string, Wish>();
  for (const entry of options.entries) {
    if (entry.kind !== "csp" || !isDirectiveName(entry.directive)) continue;
    const learned = learn(before, entry.directive, entry);
    if (learned.kind === "source") addWish(wishes, learned, entry);
    else declined.push(declinedOf(entry.directive, entry, learned.reason));
  }
  const after = new Map(before);
  const changes: PolicyChange[] = [];
  for (const wish of wishes.values()) {
    const { size } = wish.reporters;
    if (size < minReporters) {
      const reason = `reported by ${size} of the ${minReporters} clients that are needed`;
      declined.push({ ...wish, reporters: size, reason });
      continue;
    }
    const { directive, source, count, caution } = wish;
    admit(after, directive, source);
    const pages = [...wish.pages].slice(0, MAX_PAGES);
    changes.push({ directive, source, count, reporters: size, pages, caution });
  }
  return {
    changes: changes.toSorted((a, b) => b.count - a.count),
    declined: declined
      .map(({ directive, blocked, count, reporters, reason }) => ({
        directive,
        blocked,
        count,
        reporters,
        reason,
      }))
      .toSorted((a, b) => b.count - a.count),
    policy: policyText(after),
    diff: formatPolicyDiff(diffPolicies(policyText(before), policyText(after))),
  };
}

type Policy = ReadonlyMap<string, readonly string[]>;

function parsePolicy(policy: unknown): Policy {
  if (typeof policy !== "string") {
    throw new TypeError(`policy must be the text of a policy, got ${echo(policy)}`);
  }
  if (policy.includes(",")) {
    throw new TypeError("policy must be a single policy; a comma separates several");
  }
  return readPolicy(policy);
}

function policyText(policy: Policy): string {
  return [...policy].map(([name, entries]) => [name, ...entries].join(" ")).join("; ");
}

type Lesson =
  | {
      readonly kind: "source";
      readonly directive: DirectiveName;
      readonly source: string;
      readonly caution: string | undefined;
    }
  | { readonly kind: "declined"; readonly reason: string };

function learn(policy: Policy, reported: DirectiveName, entry: ReportEntry): Lesson {
  const governing = effectiveDirective(policy, reported);
  if (governing === undefined) {
    return { kind: "declined", reason: "this policy does not restrict it; another one did" };
  }
  const learned = learnedSource(reported, entry);
  if (learned.kind === "declined") return learned;
  const { source, caution } = learned;
  const entries = policy.get(governing) ?? [];
  if (entries.includes("'strict-dynamic'") && !source.includes("unsafe")) {
    const reason =
      "beside 'strict-dynamic' addresses say nothing: give the tag the nonce or an integrity";
    return { kind: "declined", reason };
  }
  if (entries.some((known) => admits(known, source))) {
    return {
      kind: "declined",
      reason: "the policy admits it already; a redirect, or an older policy",
    };
  }
  return { kind: "source", directive: targetOf(reported, governing), source, caution };
}

/** Widening default-src, or script-src for a worker, would admit the source for much else. */
function targetOf(reported: DirectiveName, governing: string): DirectiveName {
  const isShared = governing === "default-src" || reported === "worker-src";
  if (!isShared && isDirectiveName(governing)) return governing;
  if (reported.startsWith("script-src")) return "script-src";
  return reported.startsWith("style-src") ? "style-src" : reported;
}

function admit(policy: Map<string, readonly string[]>, name: DirectiveName, source: string): void {
  const entries = (policy.get(effectiveDirective(policy, name) ?? name) ?? []).filter(
    (entry) => entry !== "'none'",
  );
  if (!entries.includes(source)) policy.set(name, [...entries, source]);
}

function admits(known: string, source: string): boolean {
  if (known === source || known === "*") return true;
  if (source.startsWith("'")) return false;
  return source.startsWith(`${known.replace(/\/$/, "")}/`) || source.startsWith(`${known}//`);
}

function addWish(
  wishes: Map<string, Wish>,
  { directive, source, caution }: Extract<Lesson, { kind: "source" }>,
  entry: ReportEntry,
): void {
  const key = `${directive} ${source}`;
  const wish = wishes.get(key) ?? {
    directive,
    source,
    caution,
    blocked: entry.blocked,
    pages: new Set(),
    reporters: new Set(),
    count: 0,
  };
  wish.count += entry.count;
  wish.pages.add(entry.page);
  for (const reporter of entry.reporters) wish.reporters.add(reporter);
  wishes.set(key, wish);
}

function declinedOf(directive: DirectiveName, entry: ReportEntry, reason: string): DeclinedChange {
  const { blocked, count, reporters } = entry;
  return { directive, blocked, count, reporters: reporters.length, reason };
}
