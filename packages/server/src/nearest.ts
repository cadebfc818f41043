/** Returns the word of `known` that takes the fewest edits to become `word`, without regard to case. */
export function nearest(word: string, known: readonly string[]): string {
  const ranked = known.map((candidate) => ({ candidate, edits: editDistance(word, candidate) }));
  return ranked.reduce((best, one) => (one.edits < best.edits ? one : best)).candidate;
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  const from = a.toLowerCase().split("");
  const to = b.toLowerCase().split("");
  let before: number[] = [];
  let row = [...to.keys(), to.length];
  for (const [i, letter] of from.entries()) {
    const next = [i + 1];
    for (const [j, other] of to.entries()) {
      const substitution = (row[j] ?? 0) + (letter === other ? 0 : 1);
      const isSwap = letter === to[j - 1] && from[i - 1] === other;
      const swap = isSwap ? (before[j - 1] ?? Infinity) + 1 : Infinity;
      next.push(Math.min(substitution, swap, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row.at(-1) ?? 0;
}
