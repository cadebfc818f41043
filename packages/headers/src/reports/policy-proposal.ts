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

/** What many entries say together. */
interface Tally {
  count: number;
  readonly pages: Set<string>;
  readonly reporters: Set<string>;
}

interface Wish extends Tally {
  readonly directive: DirectiveName;
  readonly blocked: string;
  readonly lesson: Lesson;
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
  const after = new Map(before);
  const changes: PolicyChange[] = [];
  const declined: DeclinedChange[] = [];
  for (const wish of wishesOf(before, options.entries)) {
    const { lesson, count, reporters: clients } = wish;
    const reporters = clients.size;
    if (lesson.kind === "declined" || reporters < minReporters) {
      const { directive, blocked } = wish;
      const reason =
        lesson.kind === "declined"
          ? lesson.reason
          : `reported by ${reporters} of the ${minReporters} clients that are needed`;
      declined.push({ directive, blocked, count, reporters, reason });
    } else {
      const { directive, source, caution } = lesson;
      admit(after, directive, source);
      const pages = [...wish.pages].slice(0, MAX_PAGES);
      changes.push({ directive, source, count, reporters, pages, caution });
    }
  }
  return {
    changes,
    declined,
    policy: policyText(after),
    diff: formatPolicyDiff(diffPolicies(policyText(before), policyText(after))),
  };
}

/** Returns what the entries ask for, each thing once, what most reports are about first. */
function wishesOf(policy: Policy, entries: Iterable<ReportEntry>): readonly Wish[] {
  const wishes = new Map<string, Wish>();
  for (const entry of entries) {
    if (entry.kind !== "csp" || !isDirectiveName(entry.directive)) continue;
    const { directive, blocked } = entry;
    const lesson = learn(policy, directive, entry);
    const key =
      lesson.kind === "source"
        ? `${lesson.directive} ${lesson.source}`
        : JSON.stringify([directive, blocked, lesson.reason]);
    const wish = wishes.get(key) ?? { directive, blocked, lesson, ...newTally() };
    wish.count += entry.count;
    wish.pages.add(entry.page);
    for (const reporter of entry.reporters) wish.reporters.add(reporter);
    wishes.set(key, wish);
  }
  return [...wishes.values()].toSorted((a, b) => b.count - a.count);
}

function newTally(): Tally {
  return { count: 0, pages: new Set(), reporters: new Set() };
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
