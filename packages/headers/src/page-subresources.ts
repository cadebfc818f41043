import {
  attribute,
  isMathml,
  locatedElements,
  placeOf,
  scriptAddressName,
  tokens,
  type PageElement,
} from "./html-elements.ts";
import { echo } from "./option-checks.ts";
import { runningType } from "./script-type.ts";
import { insertIntoPage } from "./tag-insertions.ts";

/** The scripts and stylesheets of a page that could state an `integrity` and do not. */
export interface PageSubresources {
  /** Paths with their queries, as a browser would ask the page's own server for them, each once. */
  readonly paths: readonly string[];
  /**
   * Returns the page with `integrity="..."` on the tags whose path `integrity` knows.
   *
   * @throws {TypeError} If a value is no list of digests.
   */
  addIntegrity(integrity: ReadonlyMap<string, string>): Buffer;
}

/** What is resolved against it stays on this host, or names another. */
const ORIGIN = "http://page.invalid";
const DIGESTS = /^sha(?:256|384|512)-[\w+/-]+=*(?: sha(?:256|384|512)-[\w+/-]+=*)*$/;

interface Tag {
  readonly path: string;
  readonly offset: number;
}

function addressOf(element: PageElement): string | undefined {
  if (isMathml(element) || attribute(element, "integrity") !== undefined) return undefined;
  if (element.tagName === "script") {
    // SVG's script has no integrity attribute.
    const isChecked = scriptAddressName(element) === "src" && runningType(element) !== undefined;
    return isChecked ? attribute(element, "src") : undefined;
  }
  if (element.tagName !== "link") return undefined;
  const rel = tokens(element, "rel");
  const preloads = attribute(element, "as")?.toLowerCase() ?? "";
  const isChecked =
    rel.includes("stylesheet") ||
    rel.includes("modulepreload") ||
    (rel.includes("preload") && ["script", "style"].includes(preloads));
  return isChecked ? attribute(element, "href") : undefined;
}

/** Text that was read as Latin-1, so that offsets count bytes, as the UTF-8 it is. */
function asUtf8(text: string): string {
  return Buffer.from(text, "latin1").toString();
}

function resolve(address: string, base: URL): URL | undefined {
  const text = asUtf8(address);
  return URL.canParse(text, base.href) ? new URL(text, base) : undefined;
}

function localPath(address: string, base: URL): string | undefined {
  const url = resolve(address, base);
  return url?.origin === ORIGIN ? url.pathname + url.search : undefined;
}

/**
 * Finds what a page loads from its own server without stating an `integrity`: scripts, modules,
 * stylesheets and their preloads, but not what these load in turn. Everything but the new attributes
 * stays as it is, byte for byte.
 *
 * `pagePath` is the path under which browsers know the page, such as `/docs/`; addresses are
 * resolved against it and the page's `base`. Pages in UTF-16 have none.
 *
 * @throws {TypeError} If `pagePath` is no absolute path.
 * @see Subresource Integrity section 3.4
 */
export function pageSubresources(page: string | Uint8Array, pagePath: string): PageSubresources {
  if (!/^\/(?!\/)/.test(pagePath)) {
    throw new TypeError(`pagePath must be a path from the root, got ${echo(pagePath)}`);
  }
  const bytes = typeof page === "string" ? Buffer.from(page) : page;
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const markLength = source.startsWith("\u00ef\u00bb\u00bf") ? 3 : 0;
  const isUtf16 = source.startsWith("\u00fe\u00ff") || source.startsWith("\u00ff\u00fe");
  const tags = isUtf16 ? [] : localTags(source.slice(markLength), pagePath);
  return {
    paths: [...new Set(tags.map(({ path }) => path))],
    addIntegrity(integrity) {
      const insertions = tags.flatMap(({ path, offset }) => {
        const digests = integrity.get(path);
        if (digests === undefined) return [];
        if (!DIGESTS.test(digests)) {
          throw new TypeError(
            `integrity of ${path} must be digests such as "sha384-...", got ${echo(digests)}`,
          );
        }
        return [{ offset: offset + markLength, text: ` integrity="${digests}"` }];
      });
      return Buffer.from(insertIntoPage(source, insertions), "latin1");
    },
  };
}

function localTags(source: string, pagePath: string): Tag[] {
  const pageUrl = new URL(pagePath, ORIGIN);
  const tags: Tag[] = [];
  let base: URL | undefined;
  for (const element of locatedElements(source)) {
    if (element.tagName === "base") base ??= baseOf(element, pageUrl);
    const address = addressOf(element);
    const place = placeOf(element);
    if (address === undefined || place === undefined) continue;
    const path = localPath(address, base ?? pageUrl);
    if (path === undefined) continue;
    tags.push({ path, offset: place.start + 1 + element.tagName.length });
  }
  return tags;
}

function baseOf(element: PageElement, pageUrl: URL): URL | undefined {
  const href = attribute(element, "href");
  if (href === undefined) return undefined;
  return resolve(href, pageUrl) ?? pageUrl;
}
