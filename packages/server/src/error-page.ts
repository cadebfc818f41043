import { STATUS_CODES } from "node:http";
import { type Answer, fieldList, type Fields } from "./answer.ts";
import type { RequestHead } from "./request-head.ts";

interface Page {
  readonly html: Buffer;
  readonly text: Buffer;
}

/** A sentence for people, where the name of the status does not say it. Nothing of the request is repeated. */
const EXPLANATIONS: Readonly<Record<number, string>> = {
  400: "The server could not understand this request.",
  403: "This address may not be read.",
  404: "There is nothing at this address.",
  405: "This address does not take requests of this method.",
  406: "The file is not available in a content coding that the client accepts.",
  408: "The request took too long to arrive.",
  412: "The file is not in the state that the request asked for.",
  416: "The file does not have the bytes that were asked for.",
  421: "This server does not speak for the host that was asked for.",
  429: "Too many requests. Please try again later.",
  431: "The request has too many or too large header fields.",
  500: "Something went wrong on the server.",
  503: "The server is busy. Please try again in a moment.",
};

const pages = new Map<number, Page>();

/** Returns the answer for a status without content of its own: HTML for browsers, else one line of text. */
export function errorPage(
  status: number,
  fields: Fields,
  head?: Pick<RequestHead, "field" | "method">,
): Answer {
  const page = pageOf(status);
  const isHtml = head?.field("accept")?.includes("text/html") === true;
  const content = isHtml ? page.html : page.text;
  return {
    kind: "answer",
    status,
    fields: [
      ...fields,
      ...fieldList({
        "content-type": isHtml ? "text/html; charset=utf-8" : "text/plain; charset=utf-8",
        "cache-control": "no-store",
        "content-length": String(content.length),
      }),
    ],
    body: head?.method === "HEAD" ? undefined : content,
  };
}

function pageOf(status: number): Page {
  const known = pages.get(status);
  if (known !== undefined) return known;
  const name = STATUS_CODES[status] ?? "Error";
  const explanation = EXPLANATIONS[status] ?? "";
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<meta name="viewport" content="width=device-width">
<title>${status} ${name}</title>
<h1>${status} ${name}</h1>
<p>${explanation}</p>
</html>
`;
  const text = `${status} ${name}${explanation === "" ? "" : `: ${explanation}`}\n`;
  const page = { html: Buffer.from(html), text: Buffer.from(text) };
  pages.set(status, page);
  return page;
}
