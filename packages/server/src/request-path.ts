/** A request path as names below the root, or the status that answers it. */
export type RequestPath =
  | { readonly kind: "path"; readonly segments: readonly string[]; readonly isFolder: boolean }
  | { readonly kind: "refused"; readonly status: 400 | 404 };

const MALFORMED: RequestPath = { kind: "refused", status: 400 };
const NO_SUCH_FILE: RequestPath = { kind: "refused", status: 404 };
const WELL_KNOWN = ".well-known";

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\x00-\x1f\x7f]/;
const SEPARATOR = /[/\\]/;
const WINDOWS_NAME =
  /[<>:"|?*]|[. ]$|~\d|^(?:con|prn|aux|nul|conin\$|conout\$|com[\d\u00b9\u00b2\u00b3]|lpt[\d\u00b9\u00b2\u00b3])(?:\.|$)/i;

/**
 * Returns the names that the path of an origin-form target leads through, each percent-decoded once.
 *
 * Refused with 400: broken percent or UTF-8 sequences, NUL and other control characters.
 * Refused with 404, as no file here can have such a name: `.` and `..`, empty segments, encoded slashes and
 * backslashes, hidden files (`.well-known` at the top excepted), and on Windows names that mean a device,
 * a stream or a short name.
 *
 * @see RFC 3986 section 3.3, RFC 8615
 */
export function parseRequestPath(
  path: string,
  platform: NodeJS.Platform = process.platform,
): RequestPath {
  if (!path.startsWith("/")) return MALFORMED;
  const segments = [];
  const encoded = path.slice(1).split("/");
  const isFolder = encoded.at(-1) === "";
  if (isFolder) encoded.pop();
  for (const text of encoded) {
    const segment = decode(text);
    if (segment === undefined || CONTROL.test(segment)) return MALFORMED;
    if (segment === "" || SEPARATOR.test(segment)) return NO_SUCH_FILE;
    if (segment.startsWith(".") && !(segment === WELL_KNOWN && segments.length === 0)) {
      return NO_SUCH_FILE;
    }
    if (platform === "win32" && WINDOWS_NAME.test(segment)) return NO_SUCH_FILE;
    segments.push(segment);
  }
  return { kind: "path", segments, isFolder };
}

function decode(text: string): string | undefined {
  if (!text.includes("%")) return isAscii(text) ? text : undefined;
  try {
    return isAscii(text) ? decodeURIComponent(text) : undefined;
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** RFC 3986: a URI is ASCII; node:http would hand on raw bytes above 0x7f as Latin-1. */
function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- the whole of ASCII is meant
  return /^[\x00-\x7f]*$/.test(text);
}
