/**
 * What a directive's value is made of:
 * `sources` a source list, `ancestors` a source list without most keywords, `flag` nothing at all,
 * the others what their directive's section of the specification says.
 */
export type DirectiveKind =
  | "sources"
  | "ancestors"
  | "flag"
  | "sandbox"
  | "report-uri"
  | "report-to"
  | "trusted-types"
  | "trusted-types-sinks"
  | "webrtc";

const KINDS = {
  "default-src": "sources",
  "script-src": "sources",
  "script-src-elem": "sources",
  "script-src-attr": "sources",
  "style-src": "sources",
  "style-src-elem": "sources",
  "style-src-attr": "sources",
  "img-src": "sources",
  "font-src": "sources",
  "connect-src": "sources",
  "media-src": "sources",
  "object-src": "sources",
  "frame-src": "sources",
  "child-src": "sources",
  "worker-src": "sources",
  "manifest-src": "sources",
  "fenced-frame-src": "sources",
  "base-uri": "sources",
  "form-action": "sources",
  "frame-ancestors": "ancestors",
  "upgrade-insecure-requests": "flag",
  "block-all-mixed-content": "flag",
  sandbox: "sandbox",
  "report-uri": "report-uri",
  "report-to": "report-to",
  "trusted-types": "trusted-types",
  "require-trusted-types-for": "trusted-types-sinks",
  webrtc: "webrtc",
} as const;

/** A Content-Security-Policy directive that browsers implement, as the header spells it. */
export type DirectiveName = keyof typeof KINDS;

export const DIRECTIVE_KINDS: Readonly<Record<DirectiveName, DirectiveKind>> = KINDS;

/** Directives that no browser implements any more: a policy that relies on one protects nothing. */
export const REMOVED_DIRECTIVES: ReadonlySet<string> = new Set([
  "navigate-to",
  "plugin-types",
  "prefetch-src",
  "referrer",
  "reflected-xss",
  "require-sri-for",
]);

export function isDirectiveName(name: string): name is DirectiveName {
  return Object.hasOwn(DIRECTIVE_KINDS, name);
}

/** The inline content of a page that a nonce or a hash in the directive speaks for. */
export const INLINE_CONTENT: ReadonlyMap<DirectiveName, readonly ("scripts" | "styles")[]> =
  new Map([
    ["default-src", ["scripts", "styles"]],
    ["script-src", ["scripts"]],
    ["script-src-elem", ["scripts"]],
    ["style-src", ["styles"]],
    ["style-src-elem", ["styles"]],
  ]);
