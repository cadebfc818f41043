export type { FindingSeverity, PolicyFinding } from "./policy-finding.ts";
export { lintPolicy } from "./policy-lint.ts";
export type { LintOptions } from "./policy-lint.ts";
