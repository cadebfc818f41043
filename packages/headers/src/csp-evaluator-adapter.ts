import { CspEvaluator, DEFAULT_CHECKS, STRICTCSP_CHECKS } from "csp_evaluator";
import { Csp } from "csp_evaluator/dist/csp.js";
import { Severity, Type, type Finding } from "csp_evaluator/dist/finding.js";
import type { FindingSeverity, PolicyFinding } from "./policy-finding.ts";

/**
 * What is taken over, and the advice with it. Its checks of syntax are not: they take what is newer
 * than 2024 for misspelt. Neither are its fallbacks for browsers before 2022.
 */
const ADVICE: ReadonlyMap<Type, { readonly rule: string; readonly fix: string }> = new Map([
  [
    Type.MISSING_DIRECTIVES,
    { rule: "missing-directive", fix: "add it, with 'none' unless the page needs more" },
  ],
  [
    Type.SCRIPT_UNSAFE_INLINE,
    { rule: "script-unsafe-inline", fix: "admit inline scripts by nonce or hash instead" },
  ],
  [
    Type.SCRIPT_UNSAFE_EVAL,
    { rule: "script-unsafe-eval", fix: "remove it; for WebAssembly 'wasm-unsafe-eval' is enough" },
  ],
  [
    Type.SCRIPT_UNSAFE_HASHES,
    { rule: "script-unsafe-hashes", fix: "move event handlers into a script (addEventListener)" },
  ],
  [
    Type.PLAIN_URL_SCHEMES,
    { rule: "script-scheme", fix: "name hosts, or use nonces with 'strict-dynamic'" },
  ],
  [
    Type.PLAIN_WILDCARD,
    { rule: "script-wildcard", fix: "name hosts, or use nonces with 'strict-dynamic'" },
  ],
  [
    Type.SCRIPT_ALLOWLIST_BYPASS,
    { rule: "script-bypass", fix: "use nonces or hashes with 'strict-dynamic' instead of hosts" },
  ],
  [Type.OBJECT_ALLOWLIST_BYPASS, { rule: "object-source", fix: "write object-src 'none'" }],
  [Type.SRC_HTTP, { rule: "plain-http", fix: "write https: in its place" }],
  [
    Type.STRICT_DYNAMIC,
    {
      rule: "script-allowlist",
      fix: "use nonces or hashes with 'strict-dynamic' instead of hosts",
    },
  ],
  [
    Type.REQUIRE_TRUSTED_TYPES_FOR_SCRIPTS,
    {
      rule: "no-trusted-types",
      fix: "try require-trusted-types-for 'script' in a report-only policy",
    },
  ],
]);

const SEVERITY_NAMES: Readonly<Record<Severity, FindingSeverity>> = {
  [Severity.HIGH]: "high",
  [Severity.SYNTAX]: "medium",
  [Severity.MEDIUM]: "medium",
  [Severity.HIGH_MAYBE]: "medium",
  [Severity.STRICT_CSP]: "low",
  [Severity.MEDIUM_MAYBE]: "low",
  [Severity.INFO]: "info",
  [Severity.NONE]: "info",
};

/** csp_evaluator makes an address of every entry like this and throws where that fails (1.1.8). */
function isReadable(entry: string): boolean {
  const host = entry.replace(/^\w[+\w.-]*:\/\//i, "").replace(/^\/\//, "");
  return URL.canParse(`https://${host.replace(":*", "").replace("*", "wildcard_placeholder")}`);
}

function translate({ type, severity, directive, value, description }: Finding): PolicyFinding[] {
  const advice = ADVICE.get(type);
  // Wildcards of base-uri are our own rule: they let no script in by themselves.
  if (advice === undefined || (directive === "base-uri" && value !== undefined)) return [];
  const { rule, fix } = advice;
  const reason = description.trim().replace(/\.$/, "");
  return [{ rule, severity: SEVERITY_NAMES[severity], directive, value, reason, fix }];
}

/**
 * Returns what Google's csp_evaluator has to say, each finding once. `directives` holds known
 * directives with well-formed entries only; an entry it cannot read is left out.
 */
export function evaluatorFindings(
  directives: ReadonlyMap<string, readonly string[]>,
): readonly PolicyFinding[] {
  const readable = [...directives].map(([name, entries]): [string, string[]] => {
    const kept = entries.filter(isReadable);
    // An empty list allows nothing; csp_evaluator takes it for a missing directive.
    return [name, kept.length === 0 ? ["'none'"] : kept];
  });
  const evaluator = new CspEvaluator(new Csp(Object.fromEntries(readable)));
  const unique = new Map<string, PolicyFinding>();
  for (const finding of evaluator.evaluate([], [...DEFAULT_CHECKS, ...STRICTCSP_CHECKS])) {
    for (const translated of translate(finding)) {
      const { rule, directive = "", value = "", reason } = translated;
      unique.set([rule, directive, value, reason].join("\n"), translated);
    }
  }
  return [...unique.values()];
}
