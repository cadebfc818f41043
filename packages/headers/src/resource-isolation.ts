import { exemptPaths } from "./exempt-paths.ts";
import { booleanOption, listenerOption, optionRecord } from "./option-checks.ts";
import {
  addVary,
  describeRefusal,
  headerOf,
  pathOf,
  refuse,
  type RefusedRequest,
} from "./request-refusal.ts";
import type { SecurityHeadersMiddleware } from "./security-headers.ts";

/** Options of `resourceIsolation()`. */
export interface ResourceIsolationOptions {
  /**
   * Paths that other sites may load from, such as `"/embed/*"` or a collector of reports.
   *
   * @default []
   */
  readonly exemptPaths?: readonly string[];
  /**
   * Whether pages of other origins of the same site, its subdomains, may load everything.
   *
   * @default true
   */
  readonly allowSameSite?: boolean;
  /**
   * Whether pages of other sites may show this one in a frame. frame-ancestors decides then.
   *
   * @default false
   */
  readonly allowFraming?: boolean;
  /**
   * Whether refusals are only reported, to `onRefused`.
   *
   * @default false
   */
  readonly reportOnly?: boolean;
  /** Told of every refusal. Must not throw. */
  readonly onRefused?: (request: RefusedRequest) => void;
}

const KNOWN_OPTIONS = {
  exemptPaths: true,
  allowSameSite: true,
  allowFraming: true,
  reportOnly: true,
  onRefused: true,
} satisfies Record<keyof ResourceIsolationOptions, true>;

const FETCH_METADATA = ["Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site"] as const;
const FRAMES: ReadonlySet<string> = new Set(["iframe", "frame", "fencedframe"]);

type Request = Parameters<SecurityHeadersMiddleware>[0];

interface Settings {
  readonly allowSameSite: boolean;
  readonly allowFraming: boolean;
}

/** A link, a form or an address typed in: what leads to a page, not into one. */
function isNavigation(request: Request, { allowFraming }: Settings): boolean {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  if (headerOf(request, "sec-fetch-mode") !== "navigate") return false;
  const destination = headerOf(request, "sec-fetch-dest") ?? "document";
  return destination === "document" || (allowFraming && FRAMES.has(destination));
}

function isAllowed(request: Request, settings: Settings): boolean {
  const site = headerOf(request, "sec-fetch-site");
  if (site === undefined || site === "same-origin" || site === "none") return true;
  if (site === "same-site" && settings.allowSameSite) return true;
  return isNavigation(request, settings);
}

/**
 * Returns a middleware that answers 403 to requests that pages of other sites make for parts: images,
 * scripts, frames, fetches, form posts. Links to pages pass, and so does everything from a client that
 * sends no Sec-Fetch-Site (Safari before 16.4, curl). It stops cross-site script inclusion, timing and
 * request forgery before a route runs, and adds what it decided by to Vary.
 *
 * @throws {TypeError} If an option is unknown or malformed.
 * @see Fetch Metadata section 5
 */
export function resourceIsolation(
  options: ResourceIsolationOptions = {},
): SecurityHeadersMiddleware {
  const given = optionRecord("resourceIsolation options", options, KNOWN_OPTIONS);
  const isExempt = exemptPaths("exemptPaths", given.get("exemptPaths"));
  const settings = {
    allowSameSite: booleanOption("allowSameSite", given.get("allowSameSite") ?? true),
    allowFraming: booleanOption("allowFraming", given.get("allowFraming") ?? false),
  };
  const reportOnly = booleanOption("reportOnly", given.get("reportOnly") ?? false);
  const onRefused = listenerOption("onRefused", options.onRefused);
  return function resourceIsolationMiddleware(request, response, next) {
    addVary(response, FETCH_METADATA);
    if (isAllowed(request, settings) || isExempt(pathOf(request))) {
      next();
      return;
    }
    onRefused(describeRefusal(request, "cross-site"));
    if (reportOnly) next();
    else refuse(request, response);
  };
}
