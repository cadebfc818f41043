import { preferredType } from "./accept.ts";
import { whenKnown } from "./eventually.ts";
import { PROBLEM_MEDIA_TYPE, quotaExceededBody } from "./problem-details.ts";
import type {
  OfRequest,
  RateLimitedRequest,
  RateLimitedResponse,
  RefusingDecision,
  RateLimitOptions,
} from "./rate-limit-options.ts";

type Message = NonNullable<RateLimitOptions["message"]>;

const TITLE = "Too many requests";

/** Returns the function that answers refused requests: with a user's message, or by Accept. */
export function refusalOf(
  statusCode: number,
  message: Message | undefined,
): NonNullable<RateLimitOptions["handler"]> {
  return function refuse(request, response, _next, decision) {
    response.statusCode = statusCode;
    if (message === undefined) {
      sendByAccept(request, response, decision);
      return;
    }
    const content = isFunction(message) ? message(request, response) : message;
    return whenKnown(content, (known) => {
      sendMessage(request, response, known);
    });
  };
}

/** A function is an object too, which `typeof` alone does not tell the compiler to rule out. */
function isFunction(message: Message): message is OfRequest<string | object> {
  return typeof message === "function";
}

function sendMessage(
  request: RateLimitedRequest,
  response: RateLimitedResponse,
  message: string | object,
): void {
  if (typeof message === "string") {
    send(request, response, "text/plain; charset=utf-8", Buffer.from(message));
  } else {
    send(request, response, "application/json", Buffer.from(JSON.stringify(message)));
  }
}

function sendByAccept(
  request: RateLimitedRequest,
  response: RateLimitedResponse,
  decision: RefusingDecision,
): void {
  const offered = [PROBLEM_MEDIA_TYPE, "application/json", "text/html", "text/plain"] as const;
  switch (preferredType(request.headers.accept, offered)) {
    case "text/html": {
      const page =
        `<!doctype html><html lang="en"><meta charset="utf-8"><title>${TITLE}</title>` +
        `<h1>${TITLE}</h1><p>${advice(decision)}</p></html>\n`;
      send(request, response, "text/html; charset=utf-8", Buffer.from(page));
      return;
    }
    case "text/plain":
      send(
        request,
        response,
        "text/plain; charset=utf-8",
        Buffer.from(`${TITLE}. ${advice(decision)}\n`),
      );
      return;
    case "application/json":
    case PROBLEM_MEDIA_TYPE: {
      const violated = decision.decisions
        .filter(({ decision: own }) => own.kind !== "admitted")
        .map(({ policy }) => policy);
      send(request, response, PROBLEM_MEDIA_TYPE, quotaExceededBody(violated, response.statusCode));
    }
  }
}

function advice(decision: RefusingDecision): string {
  if (decision.kind === "unavailable") return "Please try again later.";
  const seconds = Math.ceil(decision.retryAfterMs / 1000);
  if (!Number.isFinite(seconds)) return "This request is not going to be answered.";
  return `Please try again in ${seconds} second${seconds === 1 ? "" : "s"}.`;
}

function send(
  request: RateLimitedRequest,
  response: RateLimitedResponse,
  contentType: string,
  body: Buffer,
): void {
  response.setHeader("content-type", contentType);
  response.setHeader("content-length", body.length);
  // RFC 6585 section 4: a 429 MUST NOT be stored by a cache.
  response.setHeader("cache-control", "no-store");
  if (request.method === "HEAD") response.end();
  else response.end(body);
}
