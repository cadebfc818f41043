import type { FileHandle } from "node:fs/promises";
import { type Answer, type Refusal, refusal } from "./answer.ts";
import { evaluatePreconditions, ifRangeHolds } from "./conditional-request.ts";
import { openContained } from "./contained-file.ts";
import { selectCoding } from "./content-encoding.ts";
import { stampOf } from "./file-stamp.ts";
import { formatHttpDate } from "./http-date.ts";
import { answerPartialContent, type Slice } from "./partial-content.ts";
import { parseRange, type RangeRequest } from "./range.ts";
import type { RequestHead } from "./request-head.ts";
import { parseRequestPath } from "./request-path.ts";
import type { ResourceCache } from "./resource-cache.ts";
import type { Representation, Resource, ResourceOutcome } from "./resource.ts";

export interface StaticFilesSettings {
  /** Real path of the folder that is served. */
  readonly root: string;
  readonly cache: ResourceCache;
  /** Value of Cache-Control on every file. */
  readonly cacheControl: string;
}

type Outcome = Answer | Refusal;

/** Answers GET, HEAD and OPTIONS from the files below the root, other methods with 405. */
export type StaticFiles = (head: RequestHead) => Outcome | Promise<Outcome>;

const INDEX = "index.html";
const ALLOW = ["allow", "GET, HEAD, OPTIONS"];
const RETRY_AFTER_1_S = ["retry-after", "1"];
const MAX_ATTEMPTS = 3;

/** Returns the static files of one folder as a function from request to answer. */
export function createStaticFiles({ root, cache, cacheControl }: StaticFilesSettings): StaticFiles {
  function staticFiles(head: RequestHead, attempt = 1): Outcome | Promise<Outcome> {
    if (head.method === "OPTIONS") {
      return { kind: "answer", status: 204, fields: ALLOW, body: undefined };
    }
    if (head.method !== "GET" && head.method !== "HEAD") return refusal(405, ALLOW);
    const path = parseRequestPath(head.path);
    if (path.kind === "refused") return refusal(path.status);
    const segments = path.isFolder ? [...path.segments, INDEX] : path.segments;
    const found = cache.get(segments);
    if (found instanceof Promise) {
      return found.then((outcome) =>
        outcome.kind === "resource"
          ? answerResource(head, outcome, segments, attempt)
          : answerAbsence(head, outcome.kind, path),
      );
    }
    return answerResource(head, found, segments, attempt);
  }

  function answerResource(
    head: RequestHead,
    resource: Resource,
    segments: readonly string[],
    attempt: number,
  ): Outcome | Promise<Outcome> {
    const coding = selectCoding(head.field("accept-encoding"), resource.codings);
    const selected = resource.representations.find((one) => one.coding === coding);
    if (selected === undefined) return refusal(406, varyOf(resource));
    const decided = answerWithoutContent(head, resource, selected);
    if (decided !== undefined) return decided;
    const range = requestedRange(head, selected);
    if (range === "unsatisfiable") {
      return refusal(416, ["content-range", `bytes */${selected.size}`, ...varyOf(resource)]);
    }
    const { content } = selected;
    if (content !== undefined) {
      const slice: Slice = (start, end) => content.subarray(start, end);
      return answerContent(resource, selected, range, slice);
    }
    return openRepresentation(root, selected).then((handle) => {
      if (handle !== undefined) {
        const slice: Slice = (start, end) => ({ handle, start, end });
        return answerContent(resource, selected, range, slice);
      }
      cache.drop(segments);
      return attempt < MAX_ATTEMPTS
        ? staticFiles(head, attempt + 1)
        : refusal(503, RETRY_AFTER_1_S);
    });
  }

  function answerWithoutContent(
    head: RequestHead,
    resource: Resource,
    selected: Representation,
  ): Outcome | undefined {
    const outcome = evaluatePreconditions(head.field, selected);
    if (outcome === 412) return refusal(412, varyOf(resource));
    const isNotModified = outcome === 304;
    if (!isNotModified && head.method === "GET") return undefined;
    const fields = validatorFields(resource, selected);
    if (!isNotModified) fields.push(...contentFields(resource, selected));
    const status = isNotModified ? 304 : 200;
    return { kind: "answer", status, fields, body: undefined, hashes: resource.hashes };
  }

  async function answerAbsence(
    head: RequestHead,
    absence: Exclude<ResourceOutcome["kind"], "resource">,
    path: { readonly segments: readonly string[]; readonly isFolder: boolean },
  ): Promise<Outcome> {
    if (absence === "busy") return refusal(503, RETRY_AFTER_1_S);
    if (absence === "forbidden") return refusal(403);
    if (absence === "folder" && !path.isFolder) {
      // No segment is empty, so the location cannot begin with `//` and name another host.
      return refusal(308, ["location", `${head.path}/${head.query}`]);
    }
    if (!path.isFolder) return refusal(404);
    const folder = await cache.get(path.segments);
    return refusal(folder.kind === "folder" || folder.kind === "forbidden" ? 403 : 404);
  }

  function answerContent(
    resource: Resource,
    selected: Representation,
    range: RangeRequest,
    slice: Slice,
  ): Answer {
    const { mediaType, hashes } = resource;
    const { size } = selected;
    const fields = validatorFields(resource, selected);
    if (typeof range === "string") {
      fields.push(...contentFields(resource, selected));
      return { kind: "answer", status: 200, fields, body: slice(0, size), hashes };
    }
    if (selected.coding !== "identity") fields.push("content-encoding", selected.coding);
    return { ...answerPartialContent({ ranges: range, size, mediaType, fields, slice }), hashes };
  }

  /** The fields that a 304 repeats (RFC 9110 section 15.4.5). */
  function validatorFields(resource: Resource, { etag, lastModified }: Representation): string[] {
    const fields = ["etag", etag, "cache-control", cacheControl, ...varyOf(resource)];
    if (lastModified !== undefined) fields.push("last-modified", formatHttpDate(lastModified));
    return fields;
  }

  return (head) => staticFiles(head);
}

function contentFields({ mediaType }: Resource, { coding, size }: Representation): string[] {
  const fields = ["content-type", mediaType, "accept-ranges", "bytes"];
  if (coding !== "identity") fields.push("content-encoding", coding);
  fields.push("content-length", String(size));
  return fields;
}

function varyOf({ codings }: Resource): readonly string[] {
  return codings.length > 0 ? ["vary", "accept-encoding"] : [];
}

function requestedRange(head: RequestHead, selected: Representation): RangeRequest {
  const range = head.field("range");
  if (range === undefined) return "ignore";
  const holds = ifRangeHolds(head.field, selected, Math.floor(Date.now() / 1000));
  return holds ? parseRange(range, selected.size) : "ignore";
}

/** Returns the open file, or undefined when it is no longer the one that `representation` describes. */
async function openRepresentation(
  root: string,
  representation: Representation,
): Promise<FileHandle | undefined> {
  const opened = await openContained(root, representation.path);
  if (opened.kind !== "file") return undefined;
  if (stampOf(opened.stats) === representation.stamp) return opened.handle;
  await opened.handle.close();
  return undefined;
}
