import { DIRECTIVE_KINDS, type DirectiveKind, type DirectiveName } from "./csp-directives.ts";
import { suggestion } from "./option-checks.ts";
import { isKey } from "./structured-field.ts";

const SOURCE_KEYWORDS = [
  "'none'",
  "'self'",
  "'unsafe-inline'",
  "'unsafe-eval'",
  "'unsafe-hashes'",
  "'strict-dynamic'",
  "'wasm-unsafe-eval'",
  "'trusted-types-eval'",
  "'inline-speculation-rules'",
  "'report-sample'",
  "'report-sha256'",
  "'report-sha384'",
  "'report-sha512'",
];

const SANDBOX_TOKENS = [
  "allow-downloads",
  "allow-forms",
  "allow-modals",
  "allow-orientation-lock",
  "allow-pointer-lock",
  "allow-popups",
  "allow-popups-to-escape-sandbox",
  "allow-presentation",
  "allow-same-origin",
  "allow-scripts",
  "allow-storage-access-by-user-activation",
  "allow-top-navigation",
  "allow-top-navigation-by-user-activation",
  "allow-top-navigation-to-custom-protocols",
];

const MAX_SOURCE_CHARACTERS = 2048;
const HASH = /^sha(?:256-[\w+/-]{43}=?|384-[\w+/-]{64}|512-[\w+/-]{86}(?:==)?)$/;
const NONCE = /^[\w+/-]+={0,2}$/;
const SCHEME = /^[a-z][a-z0-9+.-]*:$/i;
const HOST =
  /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:\*|(?:\*\.)?[\w-]+(?:\.[\w-]+)*)(?::(?:\d{1,5}|\*))?(?:\/[\w.~!$&'()*+=:@%/-]*)?$/i;
const BARE_SCHEMES = ["blob", "data", "filesystem", "http", "https", "mediastream", "ws", "wss"];
const TRUSTED_TYPES_POLICY = /^[\w#=/@.%-]+$/;

/** Whether `value` is a nonce by the grammar of CSP Level 3 section 2.3.1, without quotes. */
export function isNonceValue(value: string): boolean {
  return NONCE.test(value);
}

/** Whether `value` is a digest of the right length with its algorithm, without quotes. */
export function isHashValue(value: string): boolean {
  return HASH.test(value);
}

function quotedProblem(value: string): string | undefined {
  if (SOURCE_KEYWORDS.includes(value)) return undefined;
  const content = value.endsWith("'") ? value.slice(1, -1) : "";
  if (content.startsWith("nonce-")) {
    return isNonceValue(content.slice(6)) ? undefined : "the nonce is not base64";
  }
  if (/^sha\d+-/.test(content)) {
    return isHashValue(content)
      ? undefined
      : "a hash is sha256, sha384 or sha512 with a base64 digest of that length";
  }
  return `no such keyword${suggestion(value, SOURCE_KEYWORDS)}`;
}

function sourceProblem(value: string): string | undefined {
  if (value.startsWith("'")) return quotedProblem(value);
  const quoted = `'${value}'`;
  if (SOURCE_KEYWORDS.includes(quoted) || /^(?:nonce|sha\d+)-/.test(value)) {
    return `without quotes this is a host name; write "${quoted}"`;
  }
  if (BARE_SCHEMES.includes(value)) {
    return `without a colon this is a host name; write "${value}:"`;
  }
  if (value === "*" || SCHEME.test(value) || HOST.test(value)) return undefined;
  return "a source is a quoted keyword, a scheme such as https:, or a host with optional scheme, port and path";
}

function choiceProblem(value: string, choices: readonly string[]): string | undefined {
  return choices.includes(value)
    ? undefined
    : `must be one of ${choices.join(", ")}${suggestion(value, choices)}`;
}

function ancestorProblem(value: string): string | undefined {
  return value.startsWith("'") ? choiceProblem(value, ["'self'", "'none'"]) : sourceProblem(value);
}

function policyNameProblem(value: string): string | undefined {
  if (value.startsWith("'")) return choiceProblem(value, ["'none'", "'allow-duplicates'"]);
  return value === "*" || TRUSTED_TYPES_POLICY.test(value) ? undefined : "not a policy name";
}

const GRAMMARS: Readonly<Record<DirectiveKind, (value: string) => string | undefined>> = {
  sources: sourceProblem,
  ancestors: ancestorProblem,
  flag: () => "the directive takes no value; write []",
  sandbox: (value) => choiceProblem(value, SANDBOX_TOKENS),
  "report-uri": (value) => (value.startsWith("'") ? "an address has no quotes" : undefined),
  "report-to": (value) =>
    isKey(value) ? undefined : "an endpoint name is a lower-case key of Reporting-Endpoints",
  "trusted-types": policyNameProblem,
  "trusted-types-sinks": (value) => choiceProblem(value, ["'script'"]),
  webrtc: (value) => choiceProblem(value, ["'allow'", "'block'"]),
};

/** Returns why `value` cannot be one entry of the directive's list, or undefined when it can. */
export function entryProblem(name: DirectiveName, value: unknown): string | undefined {
  if (typeof value !== "string") return "an entry must be a string";
  if (value === "") return "an entry must not be empty";
  if (value.length > MAX_SOURCE_CHARACTERS)
    return `longer than ${MAX_SOURCE_CHARACTERS} characters`;
  if (/\s/.test(value)) return "white space would make it several entries; give each its own";
  if (/[^\x21-\x7e]/.test(value)) {
    return "only visible ASCII can be sent; write host names in punycode, the rest percent-encoded";
  }
  if (/[;,]/.test(value)) {
    return "; and , would start another directive or policy; percent-encode them (%3B, %2C)";
  }
  return GRAMMARS[DIRECTIVE_KINDS[name]](value);
}

/** Returns why these valid entries do not go together, or undefined when they do. */
export function listProblem(name: DirectiveName, entries: readonly string[]): string | undefined {
  const kind = DIRECTIVE_KINDS[name];
  if (entries.length > 1) {
    if (entries.includes("'none'")) return "'none' means nothing beside other entries";
    if (kind === "report-to" || kind === "webrtc") return "the directive takes a single value";
  }
  if (entries.length === 0 && kind !== "flag" && kind !== "sandbox" && kind !== "trusted-types") {
    return `the list is empty; write "'none'" to allow nothing, or null to remove the directive`;
  }
  return undefined;
}
