/** First and last byte position, both inclusive (RFC 9110 section 14.1.2). */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * What a Range field asks for: `"ignore"` sends the whole representation,
 * `"unsatisfiable"` answers 416, a list answers 206.
 */
export type RangeRequest = "ignore" | "unsatisfiable" | readonly ByteRange[];

const MAX_RANGES = 16;
const RANGE_SET = /^bytes=([\d\-, \t]+)$/i;
const RANGE_SPEC = /^(?:(\d+)-(\d*)|-(\d+))$/;

/**
 * Returns the byte ranges that `header` selects from a representation of `size` bytes, in the order asked.
 * A malformed field, another unit, more than 16 ranges or ranges that add up to more than `size`
 * are ignored as RFC 9110 sections 14.2 and 17.15 allow, which also defeats overlapping-range floods.
 *
 * @see RFC 9110 section 14.1.2, 14.2
 */
export function parseRange(header: string, size: number): RangeRequest {
  const set = RANGE_SET.exec(header.trim())?.[1];
  if (set === undefined) return "ignore";
  const ranges: ByteRange[] = [];
  let specs = 0;
  for (const element of set.split(",")) {
    const text = element.trim();
    if (text === "") continue;
    specs += 1;
    if (specs > MAX_RANGES) return "ignore";
    const spec = RANGE_SPEC.exec(text);
    if (spec === null) return "ignore";
    const [, first, last, suffix] = spec;
    if (suffix === undefined && last !== "" && Number(last) < Number(first)) return "ignore";
    const range =
      suffix === undefined
        ? { first: Number(first), last: last === "" ? size - 1 : Math.min(Number(last), size - 1) }
        : { first: Math.max(0, size - Number(suffix)), last: size - 1 };
    if (range.first <= range.last) ranges.push(range);
  }
  if (specs === 0) return "ignore";
  if (ranges.length === 0) return "unsatisfiable";
  const total = ranges.reduce((sum, range) => sum + range.last - range.first + 1, 0);
  return total > size ? "ignore" : ranges;
}
