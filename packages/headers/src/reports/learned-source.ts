import { entryProblem } from "../csp-source.ts";
import type { DirectiveName } from "../csp-directives.ts";
import { isHostName } from "./reported-address.ts";
import type { ReportEntry } from "./violation.ts";

/** A source that would admit what was blocked, or why none is proposed. */
export type LearnedSource =
  | { readonly kind: "source"; readonly source: string; readonly caution: string | undefined }
  | { readonly kind: "declined"; readonly reason: string };

const NEVER_WIDENED: Readonly<Partial<Record<DirectiveName, string>>> = {
  "base-uri": "an injected <base> redirects every relative address; remove the tag instead",
  "frame-ancestors": "somebody shows the page in a frame; name them by hand if they are to",
  "object-src": "plugins bypass the rest of the policy; use <img>, <video> or <iframe>",
  "require-trusted-types-for": "a sink was given text; make a Trusted Types policy for it",
  sandbox: "the sandbox is meant to hold; name what it lets through by hand",
  "trusted-types": "a policy of that name is not expected; find out who makes it",
};

const INLINE_ADVICE: Readonly<Partial<Record<DirectiveName, string>>> = {
  "script-src-attr": "an event-handler attribute; use addEventListener() in a script",
  "style-src-attr": "a style attribute; use a class",
};

const RUNS_CODE: ReadonlySet<DirectiveName> = new Set([
  "default-src",
  "script-src",
  "script-src-elem",
  "script-src-attr",
  "worker-src",
]);
const TAKES_DATA: ReadonlySet<DirectiveName> = new Set(["font-src", "img-src", "media-src"]);
const TAKES_BLOB: ReadonlySet<DirectiveName> = new Set([...TAKES_DATA, "worker-src"]);

const CODE_CAUTION = "runs as part of every page under this policy; make sure that you load it";

/**
 * Returns the narrowest source that admits what was blocked. Never `'unsafe-inline'`, `'unsafe-eval'`,
 * a scheme for scripts or plain HTTP: these give up what the policy is for.
 */
export function learnedSource(directive: DirectiveName, entry: ReportEntry): LearnedSource {
  const { blocked, page } = entry;
  const refusal = NEVER_WIDENED[directive];
  if (refusal !== undefined) return declined(refusal);
  if (blocked === "inline") {
    return declined(
      INLINE_ADVICE[directive] ??
        "inline code without nonce or hash: if it is yours give it the nonce, hash the page or move it into a file; if not, the policy did its work",
    );
  }
  if (blocked === "eval") return declined("text was run as code; use JSON.parse() or a function");
  if (blocked === "wasm-eval") return found(directive, "'wasm-unsafe-eval'", CODE_CAUTION);
  if (blocked === "data:" && TAKES_DATA.has(directive)) return found(directive, "data:");
  if (blocked === "blob:" && TAKES_BLOB.has(directive)) {
    return found(directive, "blob:", directive === "worker-src" ? CODE_CAUTION : undefined);
  }
  if (!URL.canParse(blocked)) return declined("the browser did not say what was blocked");
  const url = new URL(blocked);
  if (url.origin === new URL(page).origin) return found(directive, "'self'");
  if (url.protocol !== "https:" && url.protocol !== "wss:") {
    return declined(
      url.protocol === "http:" || url.protocol === "ws:"
        ? "loaded without TLS; use https or wss"
        : `the scheme ${url.protocol} would admit far more than this`,
    );
  }
  if (!isHostName(url.hostname))
    return declined("its host is none that a browser could have asked");
  return RUNS_CODE.has(directive)
    ? found(directive, url.origin + url.pathname, CODE_CAUTION)
    : found(directive, url.origin);
}

function found(directive: DirectiveName, source: string, caution?: string): LearnedSource {
  const problem = entryProblem(directive, source);
  return problem === undefined
    ? { kind: "source", source, caution }
    : declined(`its address cannot stand in a policy: ${problem}`);
}

function declined(reason: string): LearnedSource {
  return { kind: "declined", reason };
}
