import { html, parse, parseFragment, type DefaultTreeAdapterTypes } from "parse5";

type Node = DefaultTreeAdapterTypes.Node;

/** An element of a page as a browser's parser sees it. */
export type PageElement = DefaultTreeAdapterTypes.Element;

function* descendants(root: Node): Generator<PageElement> {
  const pending: Node[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if ("tagName" in node) yield node;
    const children = "childNodes" in node ? node.childNodes : [];
    for (let index = children.length - 1; index >= 0; index--) pending.push(children[index]!);
    if ("content" in node) pending.push(node.content);
  }
}

/** Yields the elements of a page in its order, those in templates included. */
export function pageElements(page: string): Generator<PageElement> {
  return descendants(parse(page));
}

/** The same with `placeOf()`, at a third more of the time. */
export function locatedElements(page: string): Generator<PageElement> {
  return descendants(parse(page, { sourceCodeLocationInfo: true }));
}

/** Yields what the text of a noscript element holds where scripts are off. */
export function noscriptElements(text: string): Generator<PageElement> {
  return descendants(
    parseFragment(text, { scriptingEnabled: false, sourceCodeLocationInfo: true }),
  );
}

/** Where the tags of an element stand in the text that was parsed, in UTF-16 code units. */
export interface TagPlace {
  /** Of the `<` of its start tag. */
  readonly start: number;
  /** Behind the `>` of its start tag. */
  readonly contentStart: number;
  /** Of the `<` of its end tag, or where the element ends without one. */
  readonly contentEnd: number;
}

/** Returns where an element of `locatedElements()` stands, or undefined when no tag made it. */
export function placeOf(element: PageElement): TagPlace | undefined {
  const location = element.sourceCodeLocation;
  if (!location) return undefined;
  const tag = location.startTag ?? location;
  return {
    start: tag.startOffset,
    contentStart: tag.endOffset,
    contentEnd: location.endTag?.startOffset ?? location.endOffset,
  };
}

export function attribute(element: PageElement, name: string): string | undefined {
  return element.attrs.find((attr) => attr.name === name)?.value;
}

/** Returns the text directly inside the element, without that of elements in it. */
export function childText(element: PageElement): string {
  return element.childNodes.map((child) => ("value" in child ? child.value : "")).join("");
}

export function isMathml(element: PageElement): boolean {
  return element.namespaceURI === html.NS.MATHML;
}

/** Returns the name of the attribute that holds the address of a script. */
export function scriptAddressName(element: PageElement): "src" | "href" {
  return element.namespaceURI === html.NS.SVG ? "href" : "src";
}

/** Returns the words of an attribute in lower case. */
export function tokens(element: PageElement, name: string): readonly string[] {
  return (attribute(element, name) ?? "").toLowerCase().split(/\s+/);
}
