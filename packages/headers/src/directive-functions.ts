import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Directive, EntryFunction } from "./content-security-policy.ts";
import { DIRECTIVE_KINDS, type DirectiveKind, type DirectiveName } from "./csp-directives.ts";
import { entryProblem, listProblem } from "./csp-source.ts";
import { HeadersError } from "./errors.ts";
import { echo } from "./option-checks.ts";
import type { ResolvedDirective } from "./policy-text.ts";

/** A request with its response, of node:http or of the compatibility API of node:http2. */
export interface Exchange {
  readonly request: IncomingMessage | Http2ServerRequest;
  readonly response: ServerResponse | Http2ServerResponse;
}

/** Directives as text, and why the first that failed had to be closed. */
export interface ResolvedDirectives {
  readonly directives: readonly ResolvedDirective[];
  readonly failure: HeadersError | undefined;
}

/** What a directive says when its function failed: never more than the function could have allowed. */
const CLOSED_ENTRIES: Readonly<Record<DirectiveKind, readonly string[]>> = {
  sources: ["'none'"],
  ancestors: ["'none'"],
  flag: [],
  sandbox: [],
  "report-uri": [],
  "report-to": [],
  "trusted-types": ["'none'"],
  "trusted-types-sinks": ["'script'"],
  webrtc: ["'block'"],
};

function refusal(name: DirectiveName, value: unknown, problem: string): HeadersError {
  return new HeadersError(
    "ERR_HEADERS_DIRECTIVE_VALUE",
    `Cannot send what a function of ${name} returned, ${echo(value)}: ${problem}`,
  );
}

function callFunction(
  name: DirectiveName,
  compute: EntryFunction,
  { request, response }: Exchange,
): readonly unknown[] | HeadersError {
  try {
    const result: unknown = compute(request, response);
    // A rejection nobody awaits would end the process; the promise itself is refused later.
    if (result instanceof Promise) result.catch(() => undefined);
    if (result === "") return [];
    return Array.isArray(result) ? Array.from<unknown>(result) : [result];
  } catch (cause) {
    return new HeadersError("ERR_HEADERS_DIRECTIVE_THREW", `A function of ${name} threw`, {
      cause,
    });
  }
}

function resolveDirective(
  { name, entries }: Directive,
  exchange: Exchange,
): ResolvedDirective | HeadersError {
  const resolved: string[] = [];
  for (const entry of entries) {
    if (typeof entry === "string") {
      resolved.push(entry);
      continue;
    }
    const values = callFunction(name, entry, exchange);
    if (values instanceof HeadersError) return values;
    for (const value of values) {
      const problem = entryProblem(name, value);
      if (problem !== undefined) return refusal(name, value, problem);
      resolved.push(String(value));
    }
  }
  const problem = resolved.length === 0 ? undefined : listProblem(name, resolved);
  return problem === undefined ? { name, entries: resolved } : refusal(name, resolved, problem);
}

function closedDirective({ name }: Directive): ResolvedDirective {
  return { name, entries: CLOSED_ENTRIES[DIRECTIVE_KINDS[name]] };
}

function isResolved(directive: Directive): directive is ResolvedDirective {
  return directive.entries.every((entry) => typeof entry === "string");
}

/** Whether some directive has a function, so that each request needs its own text. */
export function hasFunctions(directives: readonly Directive[]): boolean {
  return !directives.every(isResolved);
}

/** Returns the directives with every one that has a function closed. */
export function closeDynamic(directives: readonly Directive[]): readonly ResolvedDirective[] {
  return directives.map((directive) =>
    isResolved(directive) ? directive : closedDirective(directive),
  );
}

/** Calls the functions of every directive for one response; never throws. */
export function resolveDirectives(
  directives: readonly Directive[],
  exchange: Exchange,
): ResolvedDirectives {
  let failure: HeadersError | undefined;
  const resolved = directives.map((directive) => {
    const outcome = resolveDirective(directive, exchange);
    if (!(outcome instanceof HeadersError)) return outcome;
    failure ??= outcome;
    return closedDirective(directive);
  });
  return { directives: resolved, failure };
}
