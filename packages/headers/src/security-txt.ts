import { echo, listenerOption, optionRecord, stringsOption } from "./option-checks.ts";
import { pathOf, sendText } from "./request-refusal.ts";
import type { SecurityHeadersMiddleware } from "./security-headers.ts";

/** The fields of a security.txt. Addresses are `https:`, `mailto:` or `tel:` URIs. */
export interface SecurityTxtFields {
  /** Where to report a vulnerability, the preferred way first; at least one. */
  readonly contact: string | readonly string[];
  /** Until when the rest is right: a date, or its text in ISO 8601. At most a year and a day ahead. */
  readonly expires: Date | string;
  /** Keys to encrypt reports with: addresses, `dns:` or `openpgp4fpr:` URIs. */
  readonly encryption?: string | readonly string[];
  /** Pages that thank reporters. */
  readonly acknowledgments?: string | readonly string[];
  /** Languages of the people who read reports, as in `["en", "de"]`. */
  readonly preferredLanguages?: readonly string[];
  /** Addresses that this file is served at. */
  readonly canonical?: string | readonly string[];
  /** How vulnerabilities are handled. */
  readonly policy?: string | readonly string[];
  /** Security work to apply for. */
  readonly hiring?: string | readonly string[];
}

/** What an operator should know about a security.txt. */
export interface SecurityTxtEvent {
  readonly kind: "security-txt-expiring" | "security-txt-expired";
  readonly expires: Date;
}

/** A security.txt that is ready to be served. */
export interface SecurityTxt {
  readonly text: string;
  readonly expires: Date;
  /**
   * Returns whether the file may be served at `now` (milliseconds since the epoch): `"expiring"` in its
   * last 30 days, `"expired"` when it must not be served any more.
   */
  state(now: number): "valid" | "expiring" | "expired";
}

/** Options of `securityTxt()`. */
export interface SecurityTxtOptions extends SecurityTxtFields {
  /** Told once when the file is about to expire, and once when it has. Must not throw. */
  readonly onEvent?: (event: SecurityTxtEvent) => void;
  /**
   * Milliseconds since the epoch.
   *
   * @default Date.now
   */
  readonly clock?: () => number;
}

/** In the order in which they are written. */
const FIELDS = {
  contact: "Contact",
  expires: "Expires",
  encryption: "Encryption",
  acknowledgments: "Acknowledgments",
  preferredLanguages: "Preferred-Languages",
  canonical: "Canonical",
  policy: "Policy",
  hiring: "Hiring",
} as const satisfies Record<keyof SecurityTxtFields, string>;

const KNOWN_FIELDS = Object.fromEntries(Object.keys(FIELDS).map((name) => [name, true] as const));

const SCHEMES: Readonly<Record<string, readonly string[]>> = {
  contact: ["https:", "mailto:", "tel:"],
  encryption: ["https:", "dns:", "openpgp4fpr:"],
};

const DAY_MS = 86_400_000;
const WARNING_MS = 30 * DAY_MS;
const MAX_LIFE_MS = 366 * DAY_MS;
const LANGUAGE = /^[a-z]{2,8}(?:-[a-z0-9]{1,8})*$/i;

/** The paths of RFC 9116 section 3; the second one is for old readers. */
export const SECURITY_TXT_PATHS: readonly string[] = ["/.well-known/security.txt", "/security.txt"];

function addresses(name: string, value: unknown): readonly string[] {
  const listed = typeof value === "string" ? [value] : stringsOption(name, value);
  if (listed.length === 0) throw new TypeError(`${name} must name at least one address, got []`);
  const schemes = SCHEMES[name] ?? ["https:"];
  for (const address of listed) {
    const isVisible = /^[\x21-\x7e]+$/.test(address) && URL.canParse(address);
    if (isVisible && schemes.includes(new URL(address).protocol)) continue;
    throw new TypeError(
      `${name} refuses ${echo(address)}: write an address with ${schemes.join(" or ")} (RFC 9116 section 2.5)`,
    );
  }
  return listed;
}

function expiryDate(value: unknown, now: number): Date {
  const date = value instanceof Date ? value : new Date(typeof value === "string" ? value : NaN);
  if (Number.isNaN(date.getTime())) {
    throw new TypeError(`expires must be a date, such as "2027-05-01", got ${echo(value)}`);
  }
  if (date.getTime() - now > MAX_LIFE_MS) {
    throw new RangeError(
      `expires must be at most a year ahead, so that somebody looks at the file (RFC 9116 section 2.5.5), got ${date.toISOString()}`,
    );
  }
  return date;
}

function languages(value: unknown): string {
  const tags = stringsOption("preferredLanguages", value);
  const wrong = tags.find((tag) => !LANGUAGE.test(tag));
  if (wrong === undefined && tags.length > 0) return tags.join(", ");
  throw new TypeError(
    `preferredLanguages must be language tags such as ["en"], got ${echo(wrong ?? tags)}`,
  );
}

/**
 * Returns a security.txt, checked and ready to be served. One that has expired is accepted, for a
 * restart must not fail over it, and says so in `state()`.
 *
 * @throws {TypeError} If a field is unknown, missing or malformed.
 * @throws {RangeError} If it expires more than 366 days after `now` (milliseconds since the epoch).
 * @see RFC 9116
 */
export function formatSecurityTxt(fields: SecurityTxtFields, now: number): SecurityTxt {
  const given = optionRecord("security.txt", fields, KNOWN_FIELDS);
  const expires = expiryDate(given.get("expires"), now);
  if (!given.has("contact")) {
    throw new TypeError("security.txt needs contact, where to report a vulnerability");
  }
  const lines: string[] = [];
  for (const [name, field] of Object.entries(FIELDS)) {
    const value = given.get(name);
    if (value === undefined) continue;
    if (name === "expires") lines.push(`${field}: ${expires.toISOString()}`);
    else if (name === "preferredLanguages") lines.push(`${field}: ${languages(value)}`);
    else lines.push(...addresses(name, value).map((address) => `${field}: ${address}`));
  }
  const end = expires.getTime();
  return {
    text: `${lines.join("\n")}\n`,
    expires,
    state: (at) => (at >= end ? "expired" : at >= end - WARNING_MS ? "expiring" : "valid"),
  };
}

/**
 * Returns a middleware that serves `/.well-known/security.txt`, and `/security.txt` for old readers.
 * Once it has expired it is not served any more (404 from whatever comes next): stale contacts are
 * worse than none.
 *
 * @throws {TypeError | RangeError} As `formatSecurityTxt()`.
 */
export function securityTxt(options: SecurityTxtOptions): SecurityHeadersMiddleware {
  const { onEvent, clock, ...fields } = options;
  const now = clock ?? Date.now;
  const tell = listenerOption("onEvent", onEvent);
  const file = formatSecurityTxt(fields, now());
  let told: SecurityTxtEvent["kind"] | undefined;
  const check = (): boolean => {
    const state = file.state(now());
    const kind = `security-txt-${state}` as const;
    if (kind !== "security-txt-valid" && kind !== told) {
      told = kind;
      tell({ kind, expires: file.expires });
    }
    return state !== "expired";
  };
  check();
  return function securityTxtMiddleware(request, response, next) {
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (!isRead || !SECURITY_TXT_PATHS.includes(pathOf(request)) || !check()) {
      next();
      return;
    }
    sendText(request, response, file.text);
  };
}
