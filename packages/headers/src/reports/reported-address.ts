const KEYWORDS: ReadonlySet<string> = new Set([
  "inline",
  "eval",
  "wasm-eval",
  "self",
  "trusted-types-policy",
  "trusted-types-sink",
]);

/** Browsers report some schemes without a colon. */
const BARE_SCHEMES: ReadonlySet<string> = new Set(["about", "blob", "data", "filesystem"]);

const WEB_PROTOCOLS: ReadonlySet<string> = new Set(["http:", "https:", "ws:", "wss:"]);
const EXTENSION =
  /^(?:(?:chrome|moz|safari|safari-web|ms-browser|opera|webkit)-extension|chrome|resource|webkit-masked-url)(?::|$)/i;
/** URL parsers let `*` pass in a host: proposed as a source, it would admit every host. */
const HOST_NAME = /^(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])$/;
const MAX_READ_CHARACTERS = 4096;
const MAX_ADDRESS_CHARACTERS = 512;

/**
 * Returns what of an address is kept: origin and path, where a query, a fragment, a user name or a
 * password could be secret; of other schemes the scheme with its colon; a keyword of CSP as it is.
 * Returns undefined for what is none of these. At most 512 characters.
 */
export function reportedAddress(value: unknown): string | undefined {
  if (typeof value !== "string" || value.length > MAX_READ_CHARACTERS) return undefined;
  if (KEYWORDS.has(value)) return value;
  if (BARE_SCHEMES.has(value)) return `${value}:`;
  if (!URL.canParse(value)) return undefined;
  const { protocol, hostname, origin, pathname } = new URL(value);
  if (!WEB_PROTOCOLS.has(protocol)) return protocol.slice(0, MAX_ADDRESS_CHARACTERS);
  if (!isHostName(hostname)) return undefined;
  return (origin + pathname).slice(0, MAX_ADDRESS_CHARACTERS);
}

/** Whether a URL's host is one host and no pattern of several. */
export function isHostName(hostname: string): boolean {
  return HOST_NAME.test(hostname);
}

/** Whether an address belongs to an extension or to the browser itself: not the site's affair. */
export function isExtensionAddress(value: unknown): boolean {
  return typeof value === "string" && EXTENSION.test(value);
}
