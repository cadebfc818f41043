/** Returns the word of `known` with the smallest Levenshtein distance to `word`. */
export function nearest(word: string, known: readonly string[]): string {
  const ranked = known.map((candidate) => ({ candidate, distance: distance(word, candidate) }));
  return ranked.reduce((best, one) => (one.distance < best.distance ? one : best)).candidate;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const substitution = (row[j] ?? 0) + (letter === b[j] ? 0 : 1);
      next.push(Math.min(substitution, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
