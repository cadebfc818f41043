import { matchesEntityTag } from "./entity-tag.ts";
import { parseHttpDate } from "./http-date.ts";

/** What a selected representation can be compared by. The entity tag is strong. */
export interface Validators {
  readonly etag: string;
  /** Whole seconds since the epoch, or undefined when the file's time says nothing. */
  readonly lastModified: number | undefined;
}

type FieldLookup = (name: string) => string | undefined;

/**
 * Returns the outcome of the preconditions of a GET or HEAD request, in the order of RFC 9110 section 13.2.2:
 * 412 when a state-checking one fails, 304 when the client has it already, else `"perform"`.
 *
 * @see RFC 9110 section 13
 */
export function evaluatePreconditions(
  field: FieldLookup,
  validators: Validators,
): "perform" | 304 | 412 {
  const ifMatch = field("if-match");
  if (ifMatch !== undefined) {
    if (!matchesEntityTag(ifMatch, validators.etag, "strong")) return 412;
  } else if (isNewerThan(validators.lastModified, field("if-unmodified-since"))) {
    return 412;
  }
  const ifNoneMatch = field("if-none-match");
  if (ifNoneMatch !== undefined) {
    return matchesEntityTag(ifNoneMatch, validators.etag, "weak") ? 304 : "perform";
  }
  const since = parseHttpDate(field("if-modified-since"));
  if (since === undefined || validators.lastModified === undefined) return "perform";
  return validators.lastModified <= since ? 304 : "perform";
}

/**
 * Returns whether a Range field may be honoured: there is no If-Range, or it names exactly this representation.
 * A date counts only when it is a strong validator: at least one second before `now` (seconds since the epoch).
 *
 * @see RFC 9110 section 13.1.5, 8.8.2.2
 */
export function ifRangeHolds(field: FieldLookup, validators: Validators, now: number): boolean {
  const ifRange = field("if-range")?.trim();
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"')) return ifRange === validators.etag;
  const { lastModified } = validators;
  if (lastModified === undefined || now - lastModified < 1) return false;
  return parseHttpDate(ifRange) === lastModified;
}

function isNewerThan(lastModified: number | undefined, header: string | undefined): boolean {
  const date = parseHttpDate(header);
  return date !== undefined && lastModified !== undefined && lastModified > date;
}
