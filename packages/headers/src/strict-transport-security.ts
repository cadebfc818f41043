import { booleanOption, echo, optionRecord } from "./option-checks.ts";

/** Options of the Strict-Transport-Security header; what is left out comes from the preset. */
export interface StrictTransportSecurityOptions {
  /**
   * How long a browser refuses plain HTTP after its last visit.
   * Seconds, integer from 0 to 315360000 (ten years); 0 tells browsers to forget the host.
   *
   * @default 63072000 (two years)
   * @see RFC 6797 section 6.1.1
   */
  readonly maxAge?: number;
  /**
   * Whether every subdomain is held to HTTPS too, those that have no certificate yet included.
   *
   * @default true
   * @see RFC 6797 section 6.1.2
   */
  readonly includeSubDomains?: boolean;
  /**
   * Whether the host asks to be built into browsers, which takes months to undo.
   * Needs `maxAge` of at least 31536000 (one year) and `includeSubDomains`.
   *
   * @default false
   * @see https://hstspreload.org/
   */
  readonly preload?: boolean;
}

export type StrictTransportSecurity = Required<StrictTransportSecurityOptions>;

const KNOWN_OPTIONS = {
  maxAge: true,
  includeSubDomains: true,
  preload: true,
} satisfies Record<keyof StrictTransportSecurityOptions, true>;

const MAX_AGE_LIMIT_SECONDS = 315_360_000;
const PRELOAD_MINIMUM_SECONDS = 31_536_000;

function checkMaxAge(path: string, value: unknown): number {
  if (typeof value !== "number") {
    throw new TypeError(`${path} must be a number of seconds, got ${echo(value)}`);
  }
  if (!Number.isInteger(value) || value < 0 || value > MAX_AGE_LIMIT_SECONDS) {
    throw new RangeError(
      `${path} must be a whole number of seconds from 0 to ${MAX_AGE_LIMIT_SECONDS}, got ${value}`,
    );
  }
  return value;
}

/** Returns complete settings, or undefined when the header is switched off. */
export function parseStrictTransportSecurity(
  path: string,
  option: unknown,
  preset: StrictTransportSecurity,
): StrictTransportSecurity | undefined {
  if (option === false) return undefined;
  if (option === undefined || option === true) return preset;
  const given = optionRecord(path, option, KNOWN_OPTIONS);
  const settings = {
    maxAge: checkMaxAge(`${path}.maxAge`, given.get("maxAge") ?? preset.maxAge),
    includeSubDomains: booleanOption(
      `${path}.includeSubDomains`,
      given.get("includeSubDomains") ?? preset.includeSubDomains,
    ),
    preload: booleanOption(`${path}.preload`, given.get("preload") ?? preset.preload),
  };
  if (settings.preload && settings.maxAge < PRELOAD_MINIMUM_SECONDS) {
    throw new RangeError(
      `${path}.preload needs maxAge of at least ${PRELOAD_MINIMUM_SECONDS} seconds (one year), got ${settings.maxAge}`,
    );
  }
  if (settings.preload && !settings.includeSubDomains) {
    throw new TypeError(`${path}.preload needs includeSubDomains, got includeSubDomains: false`);
  }
  return settings;
}
