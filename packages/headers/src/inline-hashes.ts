import { createHash } from "node:crypto";
import { html, parse, parseFragment, type DefaultTreeAdapterTypes } from "parse5";
import { isHashValue } from "./csp-source.ts";

/** Digests such as `"sha256-..."`, without quotes or repetition, in the order of the page. */
export interface InlineHashes {
  /** Of inline scripts, import maps and speculation rules, and every `integrity` of a script. */
  readonly scripts: readonly string[];
  /** Of inline style elements. */
  readonly styles: readonly string[];
}

interface Found {
  readonly scripts: Set<string>;
  readonly styles: Set<string>;
}

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

const INLINE_TYPES: ReadonlySet<string> = new Set([
  "module",
  "importmap",
  "speculationrules",
  // MIME Sniffing, "JavaScript MIME type essence match": these alone, and no parameters.
  "application/ecmascript",
  "application/javascript",
  "application/x-ecmascript",
  "application/x-javascript",
  "text/ecmascript",
  "text/javascript",
  "text/javascript1.0",
  "text/javascript1.1",
  "text/javascript1.2",
  "text/javascript1.3",
  "text/javascript1.4",
  "text/javascript1.5",
  "text/jscript",
  "text/livescript",
  "text/x-ecmascript",
  "text/x-javascript",
]);

/** An unquoted srcdoc nests without escaping: 1 MB could otherwise hold 60,000 pages. */
const MAX_FRAME_DEPTH = 4;

function* elementsOf(root: Node): Generator<Element> {
  const pending: Node[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if ("tagName" in node) yield node;
    const children = "childNodes" in node ? node.childNodes : [];
    for (let index = children.length - 1; index >= 0; index--) pending.push(children[index]!);
    if ("content" in node) pending.push(node.content);
  }
}

function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((attr) => attr.name === name)?.value;
}

function childText(element: Element): string {
  return element.childNodes.map((child) => ("value" in child ? child.value : "")).join("");
}

function digest(text: string): string {
  return `sha256-${createHash("sha256").update(text, "utf8").digest("base64")}`;
}

function scriptType(element: Element): string {
  const type = attribute(element, "type");
  const language = attribute(element, "language");
  if (type === undefined) return language ? `text/${language.toLowerCase()}` : "text/javascript";
  return type === "" ? "text/javascript" : type.trim().toLowerCase();
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

function addScript(element: Element, found: Found): void {
  const type = scriptType(element);
  if (!INLINE_TYPES.has(type)) return;
  const address = element.namespaceURI === html.NS.SVG ? "href" : "src";
  if (attribute(element, address) !== undefined) {
    addIntegrity(attribute(element, "integrity"), found);
    return;
  }
  const text = childText(element);
  if (text === "") return;
  found.scripts.add(digest(text));
  if (type === "importmap") addImportMap(text, found);
}

function addLink(element: Element, found: Found): void {
  const rel = (attribute(element, "rel") ?? "").toLowerCase().split(/\s+/);
  const isScript =
    rel.includes("modulepreload") ||
    (rel.includes("preload") && attribute(element, "as")?.toLowerCase() === "script");
  if (isScript) addIntegrity(attribute(element, "integrity"), found);
}

function addStyle(element: Element, found: Found): void {
  // Chromium 156 asks the policy about every style element, whatever its type and even when empty.
  found.styles.add(digest(childText(element)));
}

/** Where scripts are off, the styles in noscript apply; its scripts never run. */
function addNoscript(element: Element, found: Found): void {
  const content = parseFragment(childText(element), { scriptingEnabled: false });
  for (const inner of elementsOf(content)) if (inner.tagName === "style") addStyle(inner, found);
}

function addPage(page: string, found: Found, frameDepth: number): void {
  for (const element of elementsOf(parse(page))) {
    if (element.namespaceURI === html.NS.MATHML) continue;
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
 * injected script admitted as well. Event handlers and style attributes have no hash here.
 * Bytes are read as UTF-8 or as their byte order mark says; decode other encodings first.
 * It blocks for about 0.1 s per megabyte: keep pages under 1 MB, and the result beside the file.
 *
 * @see CSP Level 3 section 6.7.3
 */
export function inlineHashes(page: string | Uint8Array): InlineHashes {
  const found: Found = { scripts: new Set(), styles: new Set() };
  addPage(typeof page === "string" ? page : decode(page), found, 0);
  return { scripts: [...found.scripts], styles: [...found.styles] };
}
