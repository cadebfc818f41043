// @ts-check

/**
 * Tells whether a Node version lies in an npm range made of `^a.b.c` and `>=a.b.c` joined by `||`,
 * the only forms that the `engines` field of this repository uses.
 *
 * @param {string} version such as "20.20.2", without the leading v
 * @param {string} range such as "^20.19.0 || >=22.12.0"
 * @returns {boolean}
 */
export function satisfiesRange(version, range) {
  const actual = parts(version);
  return range.split("||").some((alternative) => {
    const [, operator, minimum] = /^\s*(\^|>=)(\d+\.\d+\.\d+)\s*$/.exec(alternative) ?? [];
    if (minimum === undefined) {
      throw new SyntaxError(
        `Cannot read "${range}": "${alternative}" is neither ^a.b.c nor >=a.b.c`,
      );
    }
    const wanted = parts(minimum);
    if (operator === "^" && actual[0] !== wanted[0]) return false;
    const difference = actual
      .map((part, index) => part - (wanted[index] ?? 0))
      .find((d) => d !== 0);
    return (difference ?? 0) >= 0;
  });
}

/** @param {string} version */
function parts(version) {
  return version.split(/[.-]/, 3).map(Number);
}
