import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import {
  DIRECTIVE_KINDS,
  REMOVED_DIRECTIVES,
  INLINE_CONTENT,
  isDirectiveName,
} from "./csp-directives.ts";
import type { DirectiveName } from "./csp-directives.ts";
import { entryProblem, listProblem } from "./csp-source.ts";
import { booleanOption, echo, optionRecord, suggestion } from "./option-checks.ts";

/**
 * The entry that stands for what a response trusts in its own page: its fresh nonce, the hashes of
 * its inline scripts and styles, or nothing. It is allowed in script-src, script-src-elem,
 * style-src, style-src-elem and default-src.
 */
export const NONCE_SOURCE = "'nonce'";

/**
 * Computes one entry, several, or none (`""`, `[]`) of a directive for one response.
 * An entry is checked like a written one; anything else closes the directive for that response.
 */
export type DirectiveFunction = (
  request: IncomingMessage,
  response: ServerResponse,
) => string | readonly string[];

/**
 * The entries of a directive, each one source in the header's own spelling. `null` removes the
 * preset's directive. A symbol is helmet's `dangerouslyDisableDefaultSrc` and nothing else.
 */
export type DirectiveValue = null | string | symbol | Iterable<string | DirectiveFunction>;

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

/** Directives by name, in the header's spelling or in camelCase. */
export type ContentSecurityPolicyDirectives = {
  readonly [Name in DirectiveName | CamelCase<DirectiveName>]?: DirectiveValue;
};

/** Options of the Content-Security-Policy header. */
export interface ContentSecurityPolicyOptions {
  /** Directives that replace those of the preset, one by one. */
  readonly directives?: ContentSecurityPolicyDirectives;
  /**
   * Whether the preset's directives hold where `directives` names no other.
   *
   * @default true
   */
  readonly useDefaults?: boolean;
  /**
   * Whether browsers report violations instead of preventing them. The policy then protects nobody.
   *
   * @default false
   */
  readonly reportOnly?: boolean;
}

/** Options of the Content-Security-Policy-Report-Only header beside the enforced policy. */
export type ContentSecurityPolicyReportOnlyOptions = Omit<
  ContentSecurityPolicyOptions,
  "reportOnly"
>;

/** A directive function as it is called: with any response, and believed in nothing. */
export type EntryFunction = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => ReturnType<DirectiveFunction>;

export interface Directive {
  readonly name: DirectiveName;
  readonly entries: readonly (string | EntryFunction)[];
}

export interface ContentSecurityPolicy {
  readonly reportOnly: boolean;
  readonly directives: ReadonlyMap<DirectiveName, Directive>;
  /** Directives that the options name, in contrast to those a preset brought. */
  readonly given: ReadonlySet<DirectiveName>;
}

/** How a directive was taken out: like any other, or knowingly although it is default-src. */
type Removal = "removed" | "waived";

const KNOWN_OPTIONS = {
  directives: true,
  useDefaults: true,
  reportOnly: true,
} satisfies Record<keyof ContentSecurityPolicyOptions, true>;

function directiveName(path: string, key: string): DirectiveName {
  const name = key.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
  if (isDirectiveName(name)) return name;
  const problem = REMOVED_DIRECTIVES.has(name)
    ? ": no browser implements it any more; remove it"
    : suggestion(name, Object.keys(DIRECTIVE_KINDS));
  throw new TypeError(`${path} knows no directive ${echo(key)}${problem}`);
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

function isFunction(value: unknown): value is EntryFunction {
  return typeof value === "function";
}

function directiveEntry(path: string, name: DirectiveName, entry: unknown): string | EntryFunction {
  if (isFunction(entry)) {
    if (DIRECTIVE_KINDS[name] !== "flag") return entry;
    throw new TypeError(`${path} takes no value, so no function either; write []`);
  }
  if (entry === NONCE_SOURCE) {
    if (INLINE_CONTENT.has(name)) return NONCE_SOURCE;
    throw new TypeError(`${path} cannot hold "'nonce'": nonces admit script and style elements`);
  }
  if (typeof entry === "string" && entry.startsWith("'nonce-")) {
    throw new TypeError(
      `${path} holds a nonce that is the same for every response and so admits any attacker; write "'nonce'"`,
    );
  }
  const problem = entryProblem(name, entry);
  if (problem === undefined && typeof entry === "string") return entry;
  throw new TypeError(`${path} refuses ${echo(entry)}: ${problem ?? "not a string"}`);
}

function trustsNothing(entries: readonly (string | EntryFunction)[]): boolean {
  return (
    entries.includes("'strict-dynamic'") &&
    !entries.some(
      (entry) => typeof entry === "function" || entry === NONCE_SOURCE || entry.startsWith("'sha"),
    )
  );
}

function listEntries(
  path: string,
  name: DirectiveName,
  value: unknown,
): readonly (string | EntryFunction)[] {
  const list = typeof value === "string" ? [value] : value;
  if (!isIterable(list)) {
    throw new TypeError(
      `${path} must be a string, a list of strings and functions, or null, got ${echo(value)}`,
    );
  }
  return [...list].map((entry) => directiveEntry(path, name, entry));
}

function checkList(
  path: string,
  name: DirectiveName,
  entries: readonly (string | EntryFunction)[],
): void {
  const problem = listProblem(
    name,
    entries.map((entry) => (typeof entry === "function" ? "" : entry)),
  );
  if (problem !== undefined)
    throw new TypeError(`${path} refuses ${echo([...entries])}: ${problem}`);
  if (trustsNothing(entries)) {
    throw new TypeError(
      `${path} has 'strict-dynamic' but no nonce or hash, so that no script can run; add "'nonce'"`,
    );
  }
}

/** What stands for a default-src that was knowingly left out. */
export const WAIVED: symbol = Symbol("dangerouslyDisableDefaultSrc");

/** helmet's `dangerouslyDisableDefaultSrc`, of whichever copy of helmet the application has. */
function isHelmetSymbol(value: unknown): boolean {
  return typeof value === "symbol" && value.description === "dangerouslyDisableDefaultSrc";
}

/**
 * Returns the entries of each directive, every one of them checked, their going together not yet:
 * a change that is merged into a policy need not make sense alone.
 *
 * @throws {TypeError} If a directive is unknown or named twice, or an entry is malformed.
 */
export function directiveEntries(
  path: string,
  value: unknown,
): ReadonlyMap<DirectiveName, readonly (string | EntryFunction)[] | Removal> {
  const directives = new Map<DirectiveName, readonly (string | EntryFunction)[] | Removal>();
  for (const [key, entries] of optionRecord(path, value)) {
    const name = directiveName(path, key);
    if (directives.has(name)) throw new TypeError(`${path}.${key} names ${name} a second time`);
    if (entries === null) directives.set(name, "removed");
    else if (name === "default-src" && isHelmetSymbol(entries)) directives.set(name, "waived");
    else directives.set(name, listEntries(`${path}.${key}`, name, entries));
  }
  return directives;
}

function parseDirectives(path: string, value: unknown): Map<DirectiveName, Directive | Removal> {
  const directives = new Map<DirectiveName, Directive | Removal>();
  for (const [name, entries] of directiveEntries(path, value)) {
    if (typeof entries === "string") {
      directives.set(name, entries);
      continue;
    }
    checkList(`${path}.${name}`, name, entries);
    directives.set(name, { name, entries });
  }
  return directives;
}

/** Returns a policy as the directives that it could be written with. */
export function policyDirectives(
  policy: ContentSecurityPolicy | undefined,
): ContentSecurityPolicyDirectives {
  if (policy === undefined) return {};
  const directives = [...policy.directives.values()].map(
    ({ name, entries }): [DirectiveName, DirectiveValue] => [name, entries],
  );
  if (!policy.directives.has("default-src")) directives.push(["default-src", WAIVED]);
  return Object.fromEntries(directives);
}

/** Returns the complete policy, or undefined when the header is switched off. */
export function parseContentSecurityPolicy(
  path: string,
  option: unknown,
  preset: ContentSecurityPolicyDirectives,
): ContentSecurityPolicy | undefined {
  if (option === false) return undefined;
  const isDefault = option === undefined || option === true;
  const { reportOnly = false, ...options } = Object.fromEntries(
    optionRecord(path, isDefault ? {} : option, KNOWN_OPTIONS),
  );
  return parsePolicy(path, options, {
    preset,
    reportOnly: booleanOption(`${path}.reportOnly`, reportOnly),
  });
}

/** Returns the policy that only reports, beside the enforced one, or undefined when there is none. */
export function parseContentSecurityPolicyReportOnly(
  path: string,
  option: unknown,
  preset: ContentSecurityPolicyDirectives,
): ContentSecurityPolicy | undefined {
  if (option === undefined || option === false) return undefined;
  const { reportOnly: _, ...known } = KNOWN_OPTIONS;
  const options = Object.fromEntries(optionRecord(path, option === true ? {} : option, known));
  return parsePolicy(path, options, { preset, reportOnly: true });
}

function parsePolicy(
  path: string,
  options: Readonly<Record<string, unknown>>,
  context: { readonly preset: ContentSecurityPolicyDirectives; readonly reportOnly: boolean },
): ContentSecurityPolicy {
  const { preset, reportOnly } = context;
  const useDefaults = booleanOption(`${path}.useDefaults`, options["useDefaults"] ?? true);
  const given = parseDirectives(`${path}.directives`, options["directives"] ?? {});
  const defaults = parseDirectives(`${path}.directives`, useDefaults ? preset : {});
  // Chromium 156 ignores it, with a console warning, in a policy that only reports.
  if (reportOnly) defaults.delete("upgrade-insecure-requests");
  const directives = new Map<DirectiveName, Directive>();
  for (const [name, directive] of new Map([...defaults, ...given])) {
    if (typeof directive !== "string") directives.set(name, directive);
  }
  if (directives.size === 0) {
    throw new TypeError(`${path} has no directives; write false to switch it off`);
  }
  if (!directives.has("default-src") && given.get("default-src") !== "waived") {
    throw new TypeError(`${path} needs default-src, which covers every directive left out`);
  }
  return { reportOnly, directives, given: new Set(given.keys()) };
}
