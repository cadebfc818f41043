import {
  booleanOption,
  listenerOption,
  oneOf,
  optionRecord,
  stringsOption,
} from "./option-checks.ts";
import { beforeHead } from "./response-head.ts";
import { isSecure } from "./secure-connection.ts";
import type { SecurityHeadersMiddleware } from "./security-headers.ts";
import { hardenCookie, type CookieRules, type HardenedCookie } from "./set-cookie.ts";

/** What was done to a cookie, for the log of the application that should have set it so. */
export interface CookieReport {
  readonly name: string;
  /** Attributes that were added, such as `"Secure"`, or taken out, such as `"-Domain"`. */
  readonly changes: readonly string[];
  /** Why browsers drop the cookie all the same. */
  readonly problems: readonly string[];
}

/** Options of `hardenCookies()`. */
export interface CookieHardeningOptions {
  /**
   * Whether scripts are kept from reading cookies.
   *
   * @default true
   */
  readonly httpOnly?: boolean;
  /**
   * SameSite of cookies that choose none; `false` leaves that to browsers.
   *
   * @default "lax"
   * @see RFC 6265bis section 5.6.7
   */
  readonly sameSite?: "strict" | "lax" | false;
  /**
   * Names of cookies that scripts need to read, such as `"XSRF-TOKEN"`: they get no HttpOnly.
   *
   * @default []
   */
  readonly readable?: readonly string[];
  /**
   * Names of cookies that are left as they are.
   *
   * @default []
   */
  readonly exempt?: readonly string[];
  /** Told of every cookie that was changed or that browsers drop, never of its value. Must not throw. */
  readonly onChange?: (report: CookieReport) => void;
}

const KNOWN_OPTIONS = {
  httpOnly: true,
  sameSite: true,
  readable: true,
  exempt: true,
  onChange: true,
} satisfies Record<keyof CookieHardeningOptions, true>;

interface Settings {
  readonly httpOnly: boolean;
  readonly sameSite: CookieRules["sameSite"];
  readonly readable: ReadonlySet<string>;
  readonly exempt: ReadonlySet<string>;
  readonly onChange: (report: CookieReport) => void;
}

function parseOptions(options: CookieHardeningOptions): Settings {
  const given = optionRecord("hardenCookies options", options, KNOWN_OPTIONS);
  const sameSite = given.get("sameSite") ?? "lax";
  const names = { strict: "Strict", lax: "Lax" } as const;
  return {
    httpOnly: booleanOption("httpOnly", given.get("httpOnly") ?? true),
    sameSite: sameSite !== false && names[oneOf("sameSite", sameSite, ["strict", "lax"])],
    readable: new Set(stringsOption("readable", given.get("readable"))),
    exempt: new Set(stringsOption("exempt", given.get("exempt"))),
    onChange: listenerOption("onChange", options.onChange),
  };
}

function cookieName(text: string): string {
  return text.split("=", 1)[0]?.trim() ?? "";
}

function harden(text: string, secure: boolean, settings: Settings): HardenedCookie | undefined {
  const name = cookieName(text);
  if (settings.exempt.has(name)) return undefined;
  const httpOnly = settings.httpOnly && !settings.readable.has(name);
  return hardenCookie(text, { secure, httpOnly, sameSite: settings.sameSite });
}

/**
 * Returns a middleware that gives every cookie of the response Secure (over TLS), HttpOnly and
 * SameSite, and those named `__Host-` and `__Secure-` what browsers ask of such names, however and
 * whenever the application sets them. It reports what it had to change, so that it can be put right
 * where the cookie is made.
 *
 * @throws {TypeError} If an option is unknown or malformed.
 */
export function hardenCookies(options: CookieHardeningOptions = {}): SecurityHeadersMiddleware {
  const settings = parseOptions(options);
  return function hardenCookiesMiddleware(request, response, next) {
    const secure = isSecure(request);
    beforeHead(response, () => {
      const header = response.getHeader("set-cookie");
      if (header === undefined) return;
      const texts = [header].flat().map((text) => {
        const original = String(text);
        const hardened = harden(original, secure, settings);
        if (hardened === undefined) return original;
        const { name, changes, problems } = hardened;
        if (changes.length + problems.length > 0) settings.onChange({ name, changes, problems });
        return hardened.text;
      });
      response.setHeader("set-cookie", texts);
    });
    next();
  };
}
