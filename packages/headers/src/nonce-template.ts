import { isNonceValue } from "./csp-source.ts";
import {
  attribute,
  isMathml,
  locatedElements,
  noscriptElements,
  placeOf,
  tokens,
  type PageElement,
} from "./html-elements.ts";
import { runningType } from "./script-type.ts";
import { cutPage } from "./tag-insertions.ts";

const LOADING_RELS: readonly string[] = ["stylesheet", "modulepreload", "preload"];

function takesNonce(element: PageElement): boolean {
  if (isMathml(element) || attribute(element, "nonce") !== undefined) return false;
  switch (element.tagName) {
    case "script":
      return runningType(element) !== undefined;
    case "style":
      return true;
    case "link":
      return tokens(element, "rel").some((rel) => LOADING_RELS.includes(rel));
    default:
      return false;
  }
}

/** Yields where attributes of the tags that take a nonce begin. */
function* noncePlaces(template: string): Generator<number> {
  for (const element of locatedElements(template)) {
    const place = placeOf(element);
    if (place === undefined) continue;
    if (takesNonce(element)) yield place.start + 1 + element.tagName.length;
    if (element.tagName !== "noscript") continue;
    const content = template.slice(place.contentStart, place.contentEnd);
    for (const inner of noscriptElements(content)) {
      const start = placeOf(inner)?.start;
      if (start === undefined || inner.tagName === "script" || !takesNonce(inner)) continue;
      yield place.contentStart + start + 1 + inner.tagName.length;
    }
  }
}

/**
 * Reads a template once and returns a function that gives its scripts, styles, stylesheets and
 * preloads a nonce, at the cost of one join. Tags are found by an HTML parser; those in comments,
 * text, attributes and srcdoc frames are not touched, and tags that have a nonce attribute keep it.
 *
 * The template must be your own text, before anybody's input is put into it: a script that came
 * with the input would get the nonce like any other.
 *
 * @throws {TypeError} By the returned function, if its argument is no base64 value.
 * @see CSP Level 3 section 7.1
 */
export function nonceTemplate(template: string): (nonce: string) => string {
  const parts = cutPage(template, [...noncePlaces(template)]);
  return (nonce) => {
    if (!isNonceValue(nonce)) {
      throw new TypeError("nonce must be a base64 value such as cspNonce(response) returns");
    }
    return parts.join(` nonce="${nonce}"`);
  };
}

/**
 * Returns a template with a nonce on its scripts, styles, stylesheets and preloads, as
 * `nonceTemplate()` does, which is to be preferred for a template that is used again: this one
 * parses it every time, for about 0.1 s per megabyte.
 *
 * @throws {TypeError} If the nonce is no base64 value.
 */
export function addNonce(template: string, nonce: string): string {
  return nonceTemplate(template)(nonce);
}
