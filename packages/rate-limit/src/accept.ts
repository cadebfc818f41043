// RFC 9110 section 12.5.1: a media range, then its parameters, of which the weight is the last.
const RANGE = /^\s*([\w!#$&^.+*-]+)\/([\w!#$&^.+*-]+)\s*(?:;(.*))?$/;
const WEIGHT = /(?:^|;)\s*q=(\d(?:\.\d{0,3})?)\s*$/i;

/** Longer lists than any browser sends are not read to their end. */
const MAX_RANGES = 20;

/**
 * Returns the one of `offered` media types that an Accept field prefers: the highest weight, then the
 * order in `offered`. The first of them when the field is absent or prefers none.
 *
 * @see RFC 9110 section 12.5.1
 */
export function preferredType<T extends string>(
  accept: string | undefined,
  offered: readonly [T, ...T[]],
): T {
  if (accept === undefined) return offered[0];
  const ranges = accept.split(",", MAX_RANGES).flatMap(parseRange);
  let preferred = offered[0];
  let highest = 0;
  for (const type of offered) {
    const weight = weightOf(type, ranges);
    if (weight <= highest) continue;
    preferred = type;
    highest = weight;
  }
  return preferred;
}

interface MediaRange {
  readonly type: string;
  readonly weight: number;
}

function parseRange(text: string): MediaRange[] {
  const match = RANGE.exec(text);
  if (match === null) return [];
  const [, type = "", subtype = "", parameters = ""] = match;
  const weight = Number(WEIGHT.exec(parameters)?.[1] ?? 1);
  return [{ type: `${type}/${subtype}`.toLowerCase(), weight }];
}

/** The most specific range that matches decides. */
function weightOf(offered: string, ranges: readonly MediaRange[]): number {
  const family = `${offered.slice(0, offered.indexOf("/"))}/*`;
  for (const candidate of [offered, family, "*/*"]) {
    const range = ranges.find(({ type }) => type === candidate);
    if (range !== undefined) return range.weight;
  }
  return 0;
}
