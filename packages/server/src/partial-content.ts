import { randomUUID } from "node:crypto";
import { type Answer, type Body, fieldList, type FileSlice } from "./answer.ts";
import type { ByteRange } from "./range.ts";

/** Returns bytes `start` up to but not including `end` of one representation. */
export type Slice = (start: number, end: number) => Buffer | FileSlice;

/** What a 206 answer is made of. */
export interface PartialContent {
  readonly ranges: readonly ByteRange[];
  readonly size: number;
  readonly mediaType: string;
  /** All fields of the 200 answer but Content-Type and Content-Length. */
  readonly fields: readonly string[];
  /** Absent for an answer without content. */
  readonly slice: Slice;
}

/**
 * Returns the 206 answer: one range as it is, several as multipart/byteranges.
 *
 * @see RFC 9110 section 15.3.7, 14.6
 */
export function answerPartialContent(content: PartialContent): Answer {
  const { ranges, size, mediaType, fields, slice } = content;
  const [only, ...others] = ranges;
  if (only !== undefined && others.length === 0) {
    return {
      kind: "answer",
      status: 206,
      fields: [
        ...fields,
        ...fieldList({
          "content-type": mediaType,
          "content-range": contentRange(only, size),
          "content-length": String(only.last - only.first + 1),
        }),
      ],
      body: slice(only.first, only.last + 1),
    };
  }
  const boundary = randomUUID();
  const parts: (Buffer | FileSlice)[] = [];
  let length = 0;
  for (const range of ranges) {
    const head = `\r\n--${boundary}\r\nContent-Type: ${mediaType}\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`;
    parts.push(Buffer.from(head), slice(range.first, range.last + 1));
    length += head.length + range.last - range.first + 1;
  }
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  const body: Body = [...parts, end];
  return {
    kind: "answer",
    status: 206,
    fields: [
      ...fields,
      ...fieldList({
        "content-type": `multipart/byteranges; boundary=${boundary}`,
        "content-length": String(length + end.length),
      }),
    ],
    body,
  };
}

function contentRange({ first, last }: ByteRange, size: number): string {
  return `bytes ${first}-${last}/${size}`;
}
