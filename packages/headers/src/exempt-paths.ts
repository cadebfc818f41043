import { echo, stringsOption } from "./option-checks.ts";

/** What routers and file servers might read as another path than the one that is written. */
const AMBIGUOUS = /\/\.{1,2}(?:\/|$)|\/\/|\\|%(?:2e|2f|5c)/i;

/**
 * Returns whether a path is one of those listed: exactly, or below one that ends in `/*`. A path that
 * could be read in two ways is never exempt, so that `/hooks/../account` does not pass for a hook.
 *
 * @throws {TypeError} If a path does not begin with `/`, or has `*` anywhere but at its end.
 */
export function exemptPaths(path: string, option: unknown): (requested: string) => boolean {
  const listed = stringsOption(path, option);
  for (const entry of listed) {
    if (!/^\/[^*?#]*(?:\/\*)?$/.test(entry) && entry !== "/*") {
      throw new TypeError(
        `${path} refuses ${echo(entry)}: write a path such as /hooks/mail, or /hooks/* for all below it`,
      );
    }
  }
  const exact = new Set(listed.filter((entry) => !entry.endsWith("/*")));
  const folders = listed.filter((entry) => entry.endsWith("/*")).map((entry) => entry.slice(0, -1));
  return (requested) =>
    !AMBIGUOUS.test(requested) &&
    (exact.has(requested) || folders.some((folder) => requested.startsWith(folder)));
}
