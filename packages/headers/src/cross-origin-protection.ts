import { exemptPaths } from "./exempt-paths.ts";
import {
  booleanOption,
  echo,
  listenerOption,
  optionRecord,
  stringsOption,
} from "./option-checks.ts";
import {
  describeRefusal,
  headerOf,
  pathOf,
  refuse,
  type RefusedRequest,
} from "./request-refusal.ts";
import type { SecurityHeadersMiddleware } from "./security-headers.ts";

/** Options of `crossOriginProtection()`. */
export interface CrossOriginProtectionOptions {
  /**
   * Origins whose pages may send unsafe requests, such as `"https://app.example"`.
   *
   * @default []
   */
  readonly trustedOrigins?: readonly string[];
  /**
   * Paths that take requests from anywhere, such as `"/hooks/*"`: what they do must not rest on cookies.
   *
   * @default []
   */
  readonly exemptPaths?: readonly string[];
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
  trustedOrigins: true,
  exemptPaths: true,
  reportOnly: true,
  onRefused: true,
} satisfies Record<keyof CrossOriginProtectionOptions, true>;

/** RFC 9110 section 9.2.1, without TRACE, which no application answers. */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

type Request = Parameters<SecurityHeadersMiddleware>[0];

function trustedOrigins(path: string, option: unknown): ReadonlySet<string> {
  const origins = stringsOption(path, option);
  for (const origin of origins) {
    const parsed = URL.canParse(origin) ? new URL(origin).origin : undefined;
    if (parsed !== origin || !/^https?:/.test(origin)) {
      throw new TypeError(
        `${path} refuses ${echo(origin)}: an origin is a scheme, a host and perhaps a port, in lower case, without a path`,
      );
    }
  }
  return new Set(origins);
}

/** Whether the origin is the host that the request names; its scheme may be hidden behind a proxy. */
function isOwnOrigin(request: Request, origin: string): boolean {
  const host = headerOf(request, "host") ?? headerOf(request, ":authority");
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  const own = `${protocol}//${host}`;
  return originHost !== "" && URL.canParse(own) && new URL(own).host === originHost;
}

function refusalReason(
  request: Request,
  trusted: ReadonlySet<string>,
): RefusedRequest["reason"] | undefined {
  const origin = headerOf(request, "origin");
  if (origin !== undefined && trusted.has(origin)) return undefined;
  const site = headerOf(request, "sec-fetch-site");
  if (site !== undefined) {
    return site === "same-origin" || site === "none" ? undefined : "cross-site";
  }
  // Neither header: no browser of the last years, so nobody else's cookies are at stake.
  return origin === undefined || isOwnOrigin(request, origin) ? undefined : "cross-origin";
}

/**
 * Returns a middleware that answers 403 to unsafe requests (all but GET, HEAD and OPTIONS) that a
 * browser sends from a page of another origin: no token, no state. It decides by Sec-Fetch-Site, and
 * where a browser does not send that, by Origin against Host. Requests with neither come from
 * programs and pass. Pages of another subdomain are another origin too; name them in `trustedOrigins`.
 *
 * It protects what unsafe methods do. A GET that changes something stays open to any link.
 *
 * @throws {TypeError} If an option is unknown or malformed.
 * @see Go's net/http CrossOriginProtection, which decides alike
 */
export function crossOriginProtection(
  options: CrossOriginProtectionOptions = {},
): SecurityHeadersMiddleware {
  const given = optionRecord("crossOriginProtection options", options, KNOWN_OPTIONS);
  const trusted = trustedOrigins("trustedOrigins", given.get("trustedOrigins"));
  const isExempt = exemptPaths("exemptPaths", given.get("exemptPaths"));
  const reportOnly = booleanOption("reportOnly", given.get("reportOnly") ?? false);
  const onRefused = listenerOption("onRefused", options.onRefused);
  return function crossOriginProtectionMiddleware(request, response, next) {
    const reason = SAFE_METHODS.has(request.method ?? "")
      ? undefined
      : refusalReason(request, trusted);
    if (reason === undefined || isExempt(pathOf(request))) {
      next();
      return;
    }
    onRefused(describeRefusal(request, reason));
    if (reportOnly) next();
    else refuse(request, response);
  };
}
