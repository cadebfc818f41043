import { DIRECTIVE_KINDS, type DirectiveName } from "./csp-directives.ts";
import { effectiveDirective } from "./csp-fallbacks.ts";
import type { PolicyFinding } from "./policy-finding.ts";
import { finding, knownDirectives, type LintedPolicy, type Rule } from "./policy-lint-rule.ts";

/** 128 bits take 22 characters of base64 (CSP Level 3 section 7.1). */
const MIN_NONCE_CHARACTERS = 22;

const ANY_HOST =
  /^(?:\*|(?:https?|wss?):|(?:[a-z][a-z0-9+.-]*:\/\/)?\*(?::(?:\d+|\*))?(?:\/.*)?)$/i;
const TRUST = /^'(?:nonce-|sha(?:256|384|512)-)/;
const IP_ADDRESS = /^(?:[a-z][a-z0-9+.-]*:\/\/)?\d{1,3}(?:\.\d{1,3}){3}(?::|\/|$)/i;

const scriptTrust: Rule = ({ directives }) => {
  const directive = effectiveDirective(directives, "script-src-elem");
  if (directive === undefined) return [];
  const entries = directives.get(directive) ?? [];
  const isDynamic = entries.includes("'strict-dynamic'");
  const isTrusting = entries.some((entry) => TRUST.test(entry));
  if (isDynamic && !isTrusting) {
    return [
      finding(
        "strict-dynamic-alone",
        "high",
        { directive, value: "'strict-dynamic'" },
        {
          reason: "without a nonce or a hash no script can run at all",
          fix: "add a nonce or hashes, or remove 'strict-dynamic'",
        },
      ),
    ];
  }
  return entries
    .filter((value) => isVoid(value, { isDynamic, isTrusting }))
    .map((value) =>
      finding(
        "void-entry",
        "info",
        { directive, value },
        {
          reason: `browsers of the last years ignore it beside ${isDynamic ? "'strict-dynamic'" : "a nonce or a hash"}`,
          fix: "remove it, unless browsers before 2022 have to run the page",
        },
      ),
    );
};

function isVoid(
  entry: string,
  { isDynamic, isTrusting }: { isDynamic: boolean; isTrusting: boolean },
): boolean {
  if (entry === "'unsafe-inline'") return isTrusting;
  return isDynamic && (!entry.startsWith("'") || entry === "'self'");
}

const wildcards: Rule = ({ directives }) =>
  knownDirectives(directives).flatMap(([directive, entries]) =>
    entries
      .filter((value) => ANY_HOST.test(value) && DIRECTIVE_KINDS[directive] !== "trusted-types")
      .flatMap((value) => wildcardFinding(directives, directive, value)),
  );

const SCRIPT_DIRECTIVES = ["script-src", "script-src-elem", "object-src", "worker-src"];

/** For scripts csp_evaluator knows `*` and bare schemes; a host of nothing but a wildcard is the same. */
function wildcardFinding(
  directives: LintedPolicy["directives"],
  directive: DirectiveName,
  value: string,
): readonly PolicyFinding[] {
  const about = { directive, value };
  if (directive === "form-action") {
    return [
      finding("form-wildcard", "medium", about, {
        reason: "an injected form can send what the user types to any host",
        fix: "write 'self' and the receivers by name",
      }),
    ];
  }
  if (directive === "frame-ancestors") {
    return [
      finding("frame-wildcard", "medium", about, {
        reason: "any site can frame the page and trick its users into clicks",
        fix: "write 'none', 'self' or the embedding sites by name",
      }),
    ];
  }
  if (directive === "base-uri") {
    return [
      finding("base-wildcard", "high", about, {
        reason: "an injected base element can send every relative address to another host",
        fix: "write 'none' or 'self'",
      }),
    ];
  }
  const isScript = SCRIPT_DIRECTIVES.some(
    (name) => effectiveDirective(directives, name) === directive,
  );
  if (!isScript) return [broadSource(about)];
  const isVoided = directives.get(directive)?.includes("'strict-dynamic'") === true;
  if (isVoided || value === "*" || value.endsWith(":")) return [];
  return [
    finding("script-wildcard", "high", about, {
      reason: "a script from any host can run",
      fix: "name hosts, or use nonces with 'strict-dynamic'",
    }),
  ];
}

function broadSource(about: { directive: string; value: string }): PolicyFinding {
  return finding("any-host", "low", about, {
    reason: "it allows any host, also one that an attacker sends data to",
    fix: "name the hosts that are needed",
  });
}

const weakEntries: Rule = ({ directives }) =>
  knownDirectives(directives).flatMap(([directive, entries]) =>
    entries.flatMap((value) => {
      const about = { directive, value };
      const nonce = /^'nonce-(.*)'$/.exec(value)?.[1];
      if (nonce !== undefined && nonce.length < MIN_NONCE_CHARACTERS) {
        return finding("short-nonce", "medium", about, {
          reason: "a nonce needs 128 random bits, 22 characters of base64",
          fix: "make it with createNonce(), anew for each response",
        });
      }
      if (IP_ADDRESS.test(value) && !value.includes("127.0.0.1")) {
        return finding("ip-address", "low", about, {
          reason: "browsers match no IP address but 127.0.0.1 (CSP Level 3 section 6.7.2.9)",
          fix: "write a host name",
        });
      }
      const isTrusting = entries.some((entry) => TRUST.test(entry));
      if (value === "'unsafe-inline'" && directive.startsWith("style-src") && !isTrusting) {
        return finding("style-unsafe-inline", "low", about, {
          reason: "an injected style can overlay the page and read attributes by selectors",
          fix: "admit inline styles by nonce or hash",
        });
      }
      return [];
    }),
  );

/** Rules about what the entries of a policy let in. */
export const SOURCE_RULES: readonly Rule[] = [scriptTrust, wildcards, weakEntries];
