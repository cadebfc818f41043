const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
const IMF_FIXDATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
const RFC_850 =
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const ASCTIME =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

/**
 * Returns the seconds since the epoch that an HTTP date names, or undefined when `text` is none of the three forms.
 * `Date.parse` is not used: it takes any text that looks like a date, and local time.
 *
 * @see RFC 9110 section 5.6.7
 */
export function parseHttpDate(
  text: string | undefined,
  now: number = Date.now(),
): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim();
  const fix = IMF_FIXDATE.exec(value);
  if (fix !== null) return seconds(fix[3], fix[2], fix[1], fix.slice(4));
  const old = RFC_850.exec(value);
  if (old !== null) return seconds(fullYear(Number(old[3]), now), old[2], old[1], old.slice(4));
  const asc = ASCTIME.exec(value);
  if (asc !== null) return seconds(asc[6], asc[1], asc[2], asc.slice(3, 6));
  return undefined;
}

/** Returns the preferred form (IMF-fixdate) of a time in seconds since the epoch. */
export function formatHttpDate(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toUTCString();
}

/** RFC 9110 5.6.7: a two-digit year more than 50 years ahead is the most recent past one. */
function fullYear(twoDigits: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

function seconds(
  year: string | number | undefined,
  month: string | undefined,
  day: string | undefined,
  time: readonly (string | undefined)[],
): number | undefined {
  const monthIndex = MONTHS.indexOf(month ?? "?") / 3;
  const [hour, minute, second] = time.map(Number);
  if (!Number.isInteger(monthIndex) || monthIndex < 0) return undefined;
  if (hour === undefined || minute === undefined || second === undefined) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const date = Date.UTC(Number(year), monthIndex, Number(day), hour, minute, second);
  return new Date(date - second * 1000).getUTCDate() === Number(day) ? date / 1000 : undefined;
}
