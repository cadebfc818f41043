import { type CompiledHeaders, HeadersError, type InlineHashes } from "@hauberk/headers";
import {
  type Limiter,
  PROBLEM_MEDIA_TYPE,
  addressKey,
  quotaExceededBody,
  rateLimitFields,
} from "@hauberk/rate-limit";
import {
  type Answer,
  type Decision,
  fieldList,
  type Fields,
  type Refusal,
  refusal,
} from "./answer.ts";
import { errorPage } from "./error-page.ts";
import { redirectToHttps } from "./https-redirect.ts";
import { isReportPath } from "./reports.ts";
import type { RequestHead } from "./request-head.ts";
import type { ResourceCache } from "./resource-cache.ts";
import type { SecurityTxtRoute } from "./security-txt.ts";
import type { StaticFiles } from "./static-files.ts";

export interface StageSettings {
  readonly isKnownHost: (authority: string) => boolean;
  /** Port that the redirect names. */
  readonly httpsPort: () => number;
  readonly headers: CompiledHeaders;
  readonly limiter: Limiter | undefined;
  readonly staticFiles: { readonly answer: StaticFiles; readonly cache: ResourceCache } | undefined;
  readonly securityTxt: SecurityTxtRoute | undefined;
  readonly hasApplication: boolean;
  /** Whether reports of browsers are taken, by what stands before the application. */
  readonly hasReports: boolean;
}

/** The life of a request from its head to a decision. */
export interface Stages {
  /** Returns what to do with a request; rejects when a file cannot be read. */
  decide(head: RequestHead): Decision | Promise<Decision>;
  /** Returns the complete answer for a request that has no usable head, or whose decision failed. */
  refuse(status: number, scheme: "https" | "http", head?: RequestHead): Answer;
}

type Routed = Answer | Refusal | "application";

/** Returns the ordered stages: known host, redirect, rate limit, route, error page, security headers. */
export function createStages(settings: StageSettings): Stages {
  const { headers, limiter, staticFiles } = settings;
  const limit = limiter === undefined ? undefined : createLimitStage(limiter);
  const hashedFields = new WeakMap<InlineHashes, Fields>();

  function decide(head: RequestHead): Decision | Promise<Decision> {
    if (head.authority !== "" && !settings.isKnownHost(head.authority)) {
      return complete(head, refusal(421));
    }
    if (head.scheme === "http") return complete(head, redirectToHttps(head, settings.httpsPort()));
    const limited = limit?.(head);
    if (limited?.exceeded !== undefined) return complete(head, limited.exceeded, limited.fields);
    const routed = route(head);
    if (routed instanceof Promise) {
      return routed.then((settled) => complete(head, settled, limited?.fields));
    }
    return complete(head, routed, limited?.fields);
  }

  function route(head: RequestHead): Routed | Promise<Routed> {
    const contact = settings.securityTxt?.(head);
    if (contact !== undefined) return contact;
    if (settings.hasReports && isReportPath(head.path)) return "application";
    if (staticFiles === undefined) return settings.hasApplication ? "application" : refusal(404);
    if (settings.hasApplication && head.method !== "GET" && head.method !== "HEAD") {
      return "application";
    }
    const found = staticFiles.answer(head);
    return found instanceof Promise ? found.then(orElse) : orElse(found);
  }

  function orElse(found: Answer | Refusal): Routed | Promise<Routed> {
    if (found.kind === "answer") return found;
    const isAbsent = found.status === 404 || found.status === 403;
    if (isAbsent && settings.hasApplication) return "application";
    return found.status === 404 ? customNotFound(found) : found;
  }

  /** A `404.html` at the top of the root stands in for the built-in page. */
  async function customNotFound(notFound: Refusal): Promise<Answer | Refusal> {
    const page = await staticFiles?.cache.get(["404.html"]);
    const content = page?.kind === "resource" ? page.representations[0].content : undefined;
    if (page?.kind !== "resource" || content === undefined) return notFound;
    const { mediaType, hashes } = page;
    const fields = fieldList({
      "content-type": mediaType,
      "cache-control": "no-store",
      "content-length": String(content.length),
    });
    return { kind: "answer", status: 404, fields, body: content, hashes };
  }

  function complete(head: RequestHead, routed: Routed, limitFields: Fields = []): Decision {
    if (routed === "application") return { kind: "handover", fields: limitFields };
    const answer =
      routed.kind === "answer" ? routed : errorPage(routed.status, routed.fields, head);
    const fields = [
      ...securityFields(head.scheme, answer.hashes),
      ...answer.fields,
      ...limitFields,
    ];
    const body = head.method === "HEAD" ? undefined : answer.body;
    return { ...answer, fields, body };
  }

  function securityFields(scheme: "https" | "http", hashes: InlineHashes | undefined): Fields {
    if (hashes === undefined) return headers.fields({ secure: scheme === "https" });
    const known = hashedFields.get(hashes);
    if (known !== undefined) return known;
    const fields = pageFields(hashes);
    hashedFields.set(hashes, fields);
    return fields;
  }

  /** Pages are served over TLS alone. One with too many inline scripts for any policy keeps them blocked. */
  function pageFields(hashes: InlineHashes): Fields {
    try {
      return headers.fieldsWithHashes({ secure: true, hashes });
    } catch (error) {
      const isTooLong =
        error instanceof HeadersError && error.code === "ERR_HEADERS_POLICY_TOO_LONG";
      if (!isTooLong) throw error;
      return headers.fields({ secure: true });
    }
  }

  return {
    decide,
    refuse(status, scheme, head) {
      const page = errorPage(status, [], head);
      return { ...page, fields: [...securityFields(scheme, undefined), ...page.fields] };
    },
  };
}

function createLimitStage(
  limiter: Limiter,
): (head: RequestHead) => { fields: Fields; exceeded: Answer | undefined } {
  const { policy } = limiter;
  const problem = quotaExceededBody(policy);
  const exceeded: Answer = {
    kind: "answer",
    status: 429,
    fields: fieldList({
      "content-type": PROBLEM_MEDIA_TYPE,
      "cache-control": "no-store",
      "content-length": String(problem.length),
    }),
    body: problem,
  };
  return (head) => {
    const decision = limiter.consume(addressKey(head.address));
    const fields = rateLimitFields(policy, decision);
    return { fields, exceeded: decision.kind === "admitted" ? undefined : exceeded };
  };
}
