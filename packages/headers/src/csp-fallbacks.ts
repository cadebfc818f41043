import type { DirectiveName } from "./csp-directives.ts";

/** Where a browser looks next when a policy lacks the directive (CSP Level 3 section 6.8.3). */
const FALLBACKS: ReadonlyMap<string, readonly DirectiveName[]> = new Map<
  DirectiveName,
  readonly DirectiveName[]
>([
  ["script-src-elem", ["script-src", "default-src"]],
  ["script-src-attr", ["script-src", "default-src"]],
  ["script-src", ["default-src"]],
  ["style-src-elem", ["style-src", "default-src"]],
  ["style-src-attr", ["style-src", "default-src"]],
  ["style-src", ["default-src"]],
  ["worker-src", ["child-src", "script-src", "default-src"]],
  ["fenced-frame-src", ["frame-src", "child-src", "default-src"]],
  ["frame-src", ["child-src", "default-src"]],
  ["child-src", ["default-src"]],
  ["connect-src", ["default-src"]],
  ["font-src", ["default-src"]],
  ["img-src", ["default-src"]],
  ["manifest-src", ["default-src"]],
  ["media-src", ["default-src"]],
  ["object-src", ["default-src"]],
]);

/** Whether the directive governs fetches, so that others speak for it where it is missing. */
export function hasFallback(name: string): boolean {
  return FALLBACKS.has(name);
}

/** Returns the directive of the policy that decides for `name`, or undefined when none does. */
export function effectiveDirective(
  policy: { has(name: string): boolean },
  name: string,
): string | undefined {
  return [name, ...(FALLBACKS.get(name) ?? [])].find((candidate) => policy.has(candidate));
}
