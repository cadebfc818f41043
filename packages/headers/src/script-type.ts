import { attribute, type PageElement } from "./html-elements.ts";

const RUNNING_TYPES: ReadonlySet<string> = new Set([
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

/** Returns the type of a script that browsers act on, or undefined for a data block. */
export function runningType(element: PageElement): string | undefined {
  const type = attribute(element, "type");
  const language = attribute(element, "language");
  const stated =
    type === undefined
      ? language
        ? `text/${language.toLowerCase()}`
        : "text/javascript"
      : type === ""
        ? "text/javascript"
        : type.trim().toLowerCase();
  return RUNNING_TYPES.has(stated) ? stated : undefined;
}
