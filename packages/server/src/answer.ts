import type { FileHandle } from "node:fs/promises";
import type { InlineHashes } from "@hauberk/headers";

/**
 * Bytes `start` up to but not including `end` of an open file.
 * Whoever writes or drops the answer closes the handle, once.
 */
export interface FileSlice {
  readonly handle: FileHandle;
  readonly start: number;
  readonly end: number;
}

/** Content of an answer: nothing, bytes in memory, a slice of a file, or several of them in order. */
export type Body = undefined | Buffer | FileSlice | readonly (Buffer | FileSlice)[];

/** Flat list of names and values: `[name, value, name, value, ...]`, names in lower case. */
export type Fields = readonly string[];

/** A response as a value; writers turn it into bytes and add Date and Connection. */
export interface Answer {
  readonly kind: "answer";
  readonly status: number;
  readonly fields: Fields;
  readonly body: Body;
  /** Hashes of a page's own inline scripts and styles, for its Content-Security-Policy. */
  readonly hashes?: InlineHashes | undefined;
}

/** A status without content yet: the pipeline adds the error page that the client can read. */
export interface Refusal {
  readonly kind: "refusal";
  readonly status: number;
  readonly fields: Fields;
}

/** The application gets the real request and response, with `fields` set on the response before. */
export interface Handover {
  readonly kind: "handover";
  readonly fields: Fields;
}

export type Decision = Answer | Handover;

/** Returns a refusal; `fields` are those its status calls for, such as Allow or Retry-After. */
export function refusal(status: number, fields: Fields = []): Refusal {
  return { kind: "refusal", status, fields };
}

/** Returns the fields of a record as a flat list. */
export function fieldList(record: Readonly<Record<string, string>>): string[] {
  return Object.entries(record).flat();
}

/** Returns the file slices of a body, for closing their handles. */
export function fileSlices(body: Body): readonly FileSlice[] {
  if (body === undefined || body instanceof Uint8Array) return [];
  if (!("handle" in body)) return body.filter((part) => "handle" in part);
  return [body];
}

/** Returns the number of bytes that `body` yields. */
export function bodyLength(body: Body): number {
  if (body === undefined) return 0;
  if (body instanceof Uint8Array) return body.length;
  if ("handle" in body) return body.end - body.start;
  return body.reduce((total, part) => total + bodyLength(part), 0);
}
