import { createHash } from "node:crypto";
import { isHashValue } from "./csp-source.ts";
import {
  attribute,
  childText,
  isMathml,
  noscriptElements,
  pageElements,
  scriptAddressName,
  tokens,
  type PageElement,
} from "./html-elements.ts";
import { booleanOption, optionRecord } from "./option-checks.ts";
import { runningType } from "./script-type.ts";

/** Digests such as `"sha256-..."`, without quotes or repetition, in the order of the page. */
export interface InlineHashes {
  /** Of inline scripts, import maps and speculation rules, and every `integrity` of a script. */
  readonly scripts: readonly string[];
  /** Of inline style elements. */
  readonly styles: readonly string[];
  /** Of event-handler attributes, if asked for. */
  readonly handlers?: readonly string[];
  /** Of style attributes, if asked for. */
  readonly styleAttributes?: readonly string[];
}

/** Options of `inlineHashes()`. */
export interface InlineHashesOptions {
  /**
   * Whether event-handler and style attributes are hashed too. The policy then gets
   * `'unsafe-hashes'` in script-src-attr and style-src-attr: whoever can inject markup may put these
   * very handlers on other elements. Prefer `addEventListener()` and classes.
   *
   * @default false
   */
  readonly attributes?: boolean;
}

const KNOWN_OPTIONS = { attributes: true } satisfies Record<keyof InlineHashesOptions, true>;

interface Found {
  readonly scripts: Set<string>;
  readonly styles: Set<string>;
  /** Undefined when attributes are not hashed. */
  readonly attributes: { readonly handlers: Set<string>; readonly styles: Set<string> } | undefined;
}

/** An unquoted srcdoc nests without escaping: 1 MB could otherwise hold 60,000 pages. */
const MAX_FRAME_DEPTH = 4;

function digest(text: string): string {
  return `sha256-${createHash("sha256").update(text, "utf8").digest("base64")}`;
}

function addIntegrity(integrity: unknown, found: Found): void {
  if (typeof integrity !== "string") return;
  for (const token of integrity.split(/\s+/)) {
    const [hash = ""] = token.split("?", 1);
    const dash = hash.indexOf("-") + 1;
    const value = hash.slice(0, dash).toLowerCase() + hash.slice(dash);
    if (isHashValue(value)) found.scripts.add(value);
  }
}

/** Modules that a page imports are admitted by the integrity its import map states for them. */
function addImportMap(text: string, found: Found): void {
  let map: unknown;
  try {
    map = JSON.parse(text);
  } catch (error) {
    // A browser drops an import map that is no JSON, and so its integrity.
    if (error instanceof SyntaxError) return;
    throw error;
  }
  if (typeof map !== "object" || map === null || !("integrity" in map)) return;
  if (typeof map.integrity !== "object" || map.integrity === null) return;
  for (const integrity of Object.values(map.integrity)) addIntegrity(integrity, found);
}

function addScript(element: PageElement, found: Found): void {
  const type = runningType(element);
  if (type === undefined) return;
  if (attribute(element, scriptAddressName(element)) !== undefined) {
    addIntegrity(attribute(element, "integrity"), found);
    return;
  }
  const text = childText(element);
  if (text === "") return;
  found.scripts.add(digest(text));
  if (type === "importmap") addImportMap(text, found);
}

function addLink(element: PageElement, found: Found): void {
  const rel = tokens(element, "rel");
  const isScript =
    rel.includes("modulepreload") ||
    (rel.includes("preload") && attribute(element, "as")?.toLowerCase() === "script");
  if (isScript) addIntegrity(attribute(element, "integrity"), found);
}

function addStyle(element: PageElement, found: Found): void {
  // Chromium 156 asks the policy about every style element, whatever its type and even when empty.
  found.styles.add(digest(childText(element)));
}

/** Hashes the values as scripts get them: character references decoded. */
function addAttributes(element: PageElement, found: Found): void {
  if (found.attributes === undefined) return;
  for (const { name, value } of element.attrs) {
    if (name === "style") found.attributes.styles.add(digest(value));
    else if (name.startsWith("on")) found.attributes.handlers.add(digest(value));
  }
}

/** Where scripts are off, the styles in noscript apply; its scripts never run. */
function addNoscript(element: PageElement, found: Found): void {
  for (const inner of noscriptElements(childText(element))) {
    if (inner.tagName === "style") addStyle(inner, found);
    addAttributes(inner, found);
  }
}

function addPage(page: string, found: Found, frameDepth: number): void {
  for (const element of pageElements(page)) {
    addAttributes(element, found);
    if (isMathml(element)) continue;
    switch (element.tagName) {
      case "script":
        addScript(element, found);
        break;
      case "style":
        addStyle(element, found);
        break;
      case "link":
        addLink(element, found);
        break;
      case "noscript":
        addNoscript(element, found);
        break;
      case "iframe": {
        const inner = attribute(element, "srcdoc");
        if (inner !== undefined && frameDepth < MAX_FRAME_DEPTH)
          addPage(inner, found, frameDepth + 1);
        break;
      }
    }
  }
}

/** Reads the byte order mark as browsers do: it outweighs every other statement of the encoding. */
function decode(bytes: Uint8Array): string {
  const encoding =
    bytes[0] === 0xfe && bytes[1] === 0xff
      ? "utf-16be"
      : bytes[0] === 0xff && bytes[1] === 0xfe
        ? "utf-16le"
        : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

/**
 * Returns the hashes under which a Content-Security-Policy lets this page run its own inline
 * scripts and styles, those in templates, SVG and srcdoc frames included, and the external scripts
 * whose `integrity` it states. The text is hashed as a browser sees it: decoded, line ends as LF.
 *
 * Give it finished pages of your own only: a page with somebody's input in it would have the
 * injected script admitted as well. `javascript:` addresses have no hash.
 * Bytes are read as UTF-8 or as their byte order mark says; decode other encodings first.
 * It blocks for about 0.1 s per megabyte: keep pages under 1 MB, and the result beside the file.
 *
 * @throws {TypeError} If an option is unknown or no boolean.
 * @see CSP Level 3 section 6.7.3
 */
export function inlineHashes(
  page: string | Uint8Array,
  options: InlineHashesOptions = {},
): InlineHashes {
  const given = optionRecord("inlineHashes options", options, KNOWN_OPTIONS);
  const hasAttributes = booleanOption("attributes", given.get("attributes") ?? false);
  const found: Found = {
    scripts: new Set(),
    styles: new Set(),
    attributes: hasAttributes ? { handlers: new Set(), styles: new Set() } : undefined,
  };
  addPage(typeof page === "string" ? page : decode(page), found, 0);
  return {
    scripts: [...found.scripts],
    styles: [...found.styles],
    ...(found.attributes !== undefined && {
      handlers: [...found.attributes.handlers],
      styleAttributes: [...found.attributes.styles],
    }),
  };
}
