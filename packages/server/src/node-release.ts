/** First releases with the security fixes of July 2026, by major version. */
const SECURE_RELEASES: Readonly<Record<number, readonly [minor: number, patch: number]>> = {
  22: [23, 2],
  24: [18, 1],
  26: [5, 1],
};

/**
 * Returns a warning when `version` lacks security fixes that matter to a server, else undefined.
 * Odd majors and those below 22 no longer get any.
 *
 * @see https://nodejs.org/en/blog/vulnerability
 */
export function nodeReleaseWarning(version: string = process.versions.node): string | undefined {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  if (major > 26) return undefined;
  const secure = SECURE_RELEASES[major];
  const wanted = Object.entries(SECURE_RELEASES).map(([line, rest]) => `${line}.${rest.join(".")}`);
  if (secure !== undefined) {
    const [secureMinor, securePatch] = secure;
    if (minor > secureMinor || (minor === secureMinor && patch >= securePatch)) return undefined;
  }
  return `Node.js ${version} lacks security fixes of July 2026; serve the public with ${wanted.join(", ")} or newer`;
}
