import mimeTypes from "mime-types";

/**
 * Returns the Content-Type of a file by the ending of its name, with `charset=utf-8` for text;
 * `application/octet-stream` for an unknown ending, which browsers told `nosniff` download.
 */
export function mediaType(fileName: string): string {
  const ending = /\.([^./\\]+)$/.exec(fileName)?.[1];
  return (ending !== undefined && mimeTypes.contentType(ending)) || "application/octet-stream";
}
