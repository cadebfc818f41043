import { keywordOption } from "./keyword-option.ts";

const EMBEDDER_POLICIES = ["require-corp", "credentialless", "unsafe-none"] as const;
const OPENER_POLICIES = [
  "same-origin",
  "same-origin-allow-popups",
  "noopener-allow-popups",
  "unsafe-none",
] as const;
const RESOURCE_POLICIES = ["same-origin", "same-site", "cross-origin"] as const;

export type CrossOriginEmbedderPolicy = (typeof EMBEDDER_POLICIES)[number];
export type CrossOriginOpenerPolicy = (typeof OPENER_POLICIES)[number];
export type CrossOriginResourcePolicy = (typeof RESOURCE_POLICIES)[number];

/** Options of the Cross-Origin-Embedder-Policy header. */
export interface CrossOriginEmbedderPolicyOptions {
  /**
   * Whether cross-origin resources that give no consent are blocked, fetched without credentials,
   * or embedded as ever.
   *
   * @see HTML section 7.1.4
   */
  readonly policy?: CrossOriginEmbedderPolicy;
}

/** Options of the Cross-Origin-Opener-Policy header. */
export interface CrossOriginOpenerPolicyOptions {
  /**
   * Which documents may hold a reference to this one's window. `"same-origin"` breaks sign-in
   * windows of other origins; `"same-origin-allow-popups"` keeps those the page opens itself.
   *
   * @see HTML section 7.1.3
   */
  readonly policy?: CrossOriginOpenerPolicy;
}

/** Options of the Cross-Origin-Resource-Policy header. */
export interface CrossOriginResourcePolicyOptions {
  /**
   * Whose pages may embed this response without CORS.
   *
   * @see Fetch section 3.7
   */
  readonly policy?: CrossOriginResourcePolicy;
}

export function parseCrossOriginEmbedderPolicy(
  path: string,
  option: unknown,
  preset: CrossOriginEmbedderPolicy | false,
): CrossOriginEmbedderPolicy | false {
  return keywordOption(path, option, { key: "policy", keywords: EMBEDDER_POLICIES, preset });
}

export function parseCrossOriginOpenerPolicy(
  path: string,
  option: unknown,
  preset: CrossOriginOpenerPolicy | false,
): CrossOriginOpenerPolicy | false {
  return keywordOption(path, option, { key: "policy", keywords: OPENER_POLICIES, preset });
}

export function parseCrossOriginResourcePolicy(
  path: string,
  option: unknown,
  preset: CrossOriginResourcePolicy | false,
): CrossOriginResourcePolicy | false {
  return keywordOption(path, option, { key: "policy", keywords: RESOURCE_POLICIES, preset });
}
