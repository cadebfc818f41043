import { effectiveDirective } from "./csp-fallbacks.ts";
import { readPolicy, type PolicySource } from "./serialized-policy.ts";

type Directives = ReadonlyMap<string, readonly string[]>;

const INLINE_TRUST = /^'(?:nonce(?:-[^']*)?|sha(?:256|384|512)-[^']*)'$/;

/** The beginning of the sentence about each directive, up to the places it names. */
const FETCHES = [
  ["img-src", "Images load from"],
  ["font-src", "Fonts load from"],
  ["media-src", "Audio and video load from"],
  ["connect-src", "Scripts connect (fetch, WebSocket, beacons) to"],
  ["worker-src", "Workers start from"],
  ["frame-src", "Frames show pages of"],
  ["manifest-src", "The app manifest loads from"],
  ["object-src", "Plugins (object, embed) load from"],
] as const;

/** The same for what default-src does not speak for. */
const DOCUMENT = [
  ["base-uri", "The base address of links may be set to"],
  ["form-action", "Forms are sent to"],
  ["frame-ancestors", "The page may be framed by pages of"],
] as const;

const WORDS: Readonly<Record<string, string>> = {
  "'self'": "this site",
  "*": "any host",
  "http:": "any host, even without TLS",
  "https:": "any host over HTTPS",
  "ws:": "any WebSocket, even without TLS",
  "wss:": "any WebSocket over TLS",
  "data:": "data: addresses",
  "blob:": "blob: addresses",
};

/** Keywords that say how, not from where. */
function isPlace(entry: string): boolean {
  return !entry.startsWith("'") || entry === "'self'";
}

function placeWords(entry: string): string {
  const known = WORDS[entry.toLowerCase()];
  if (known !== undefined) return known;
  const subdomains = /^(?:https:\/\/)?\*\.([^/]+)$/.exec(entry);
  return subdomains === null ? entry : `every subdomain of ${subdomains[1]}`;
}

function joined(words: readonly string[]): string {
  return words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}

function places(entries: readonly string[] | undefined): string {
  if (entries === undefined) return "anywhere: no directive restricts it";
  const named = entries.filter(isPlace).map(placeWords);
  return named.length === 0 ? "nowhere" : joined(named);
}

function valuesOf(policy: Directives, directive: string): readonly string[] | undefined {
  const name = effectiveDirective(policy, directive);
  return name === undefined ? undefined : policy.get(name);
}

function trustWords(entries: readonly string[]): string {
  const nonces = entries.some((entry) => /^'nonce['-]/.test(entry));
  const hashes = entries.filter((entry) => entry.startsWith("'sha")).length;
  const words = [
    ...(nonces ? ["the nonce of the response"] : []),
    ...(hashes === 1 ? ["a text that one hash names"] : []),
    ...(hashes > 1 ? [`a text that one of ${hashes} hashes names`] : []),
  ];
  return words.join(" or ");
}

function describeScripts(policy: Directives): readonly string[] {
  const entries = valuesOf(policy, "script-src-elem");
  if (entries === undefined)
    return ["Scripts run from anywhere, also inline: nothing restricts them."];
  const trusted = entries.filter((entry) => INLINE_TRUST.test(entry));
  const isDynamic = entries.includes("'strict-dynamic'");
  const sentences: string[] = [];
  if (isDynamic) {
    sentences.push(
      trusted.length === 0
        ? "No script runs: 'strict-dynamic' asks for a nonce or a hash, and there is none."
        : `Scripts run when they have ${trustWords(trusted)}, wherever they are from; a script that runs may load any other.`,
    );
  } else {
    sentences.push(`Script files load from ${places(entries)}.`);
    if (trusted.length > 0)
      sentences.push(`Scripts also run when they have ${trustWords(trusted)}.`);
  }
  const admitsAll = entries.includes("'unsafe-inline'") && trusted.length === 0 && !isDynamic;
  if (admitsAll) sentences.push("Every inline script runs, an injected one too.");
  return [...sentences, describeHandlers(policy), describeEvaluation(policy)];
}

function admitsInline(entries: readonly string[] | undefined): boolean {
  if (entries === undefined) return true;
  const isVoid = entries.some((entry) => INLINE_TRUST.test(entry) || entry === "'strict-dynamic'");
  return entries.includes("'unsafe-inline'") && !isVoid;
}

function describeHandlers(policy: Directives): string {
  const entries = valuesOf(policy, "script-src-attr");
  if (admitsInline(entries)) return "Event-handler attributes run, injected ones too.";
  return entries?.includes("'unsafe-hashes'") === true
    ? "Event-handler attributes run when a hash names their text."
    : "Event-handler attributes do not run.";
}

function describeEvaluation(policy: Directives): string {
  const entries = valuesOf(policy, "script-src");
  if (entries === undefined || entries.includes("'unsafe-eval'")) {
    return "Text may be run as code (eval).";
  }
  return entries.includes("'wasm-unsafe-eval'")
    ? "Text may not be run as code (eval); WebAssembly may be compiled."
    : "Text may not be run as code (eval).";
}

function describeStyles(policy: Directives): readonly string[] {
  const entries = valuesOf(policy, "style-src-elem");
  const trusted = (entries ?? []).filter((entry) => INLINE_TRUST.test(entry));
  const files = `Style sheets load from ${places(entries)}`;
  if (admitsInline(entries)) return [`${files}; inline styles apply, injected ones too.`];
  return [
    trusted.length === 0
      ? `${files}; inline styles do not apply.`
      : `${files}; inline styles apply when they have ${trustWords(trusted)}.`,
  ];
}

function describeDocument(policy: Directives): readonly string[] {
  const sentences = DOCUMENT.map(
    ([name, beginning]) => `${beginning} ${places(policy.get(name))}.`,
  );
  if (policy.has("sandbox")) {
    const allowed = policy.get("sandbox") ?? [];
    sentences.push(
      `The page is sandboxed${allowed.length === 0 ? "" : ` but for ${joined(allowed)}`}.`,
    );
  }
  if (policy.get("require-trusted-types-for")?.includes("'script'") === true) {
    sentences.push("Scripts may write HTML only through Trusted Types.");
  }
  if (policy.has("upgrade-insecure-requests")) {
    sentences.push("Addresses with http: are fetched over HTTPS instead.");
  }
  const receivers = [...(policy.get("report-to") ?? []), ...(policy.get("report-uri") ?? [])];
  sentences.push(
    receivers.length === 0
      ? "Nobody learns of violations."
      : `Violations are reported to ${joined(receivers)}.`,
  );
  return sentences;
}

/**
 * Returns in words what a policy allows, one sentence per kind of content: what is said is what
 * browsers do, fallbacks to default-src and keywords that void others included.
 *
 * @throws {TypeError} If a policy given as data has a misspelt directive or a malformed entry.
 */
export function describePolicy(policy: PolicySource): readonly string[] {
  const directives = readPolicy(policy);
  return [
    ...describeScripts(directives),
    ...describeStyles(directives),
    ...FETCHES.map(([name, beginning]) => `${beginning} ${places(valuesOf(directives, name))}.`),
    ...describeDocument(directives),
  ];
}
