/** Text to put into a page, at an offset in UTF-16 code units. */
export interface Insertion {
  readonly offset: number;
  readonly text: string;
}

/** Returns the page cut where something goes in; the offsets may come in any order. */
export function cutPage(page: string, offsets: readonly number[]): readonly string[] {
  const cuts = [...offsets].toSorted((a, b) => a - b);
  const starts = [0, ...cuts];
  return starts.map((start, index) => page.slice(start, cuts[index]));
}

/** Returns the page with each text at its place. */
export function insertIntoPage(page: string, insertions: readonly Insertion[]): string {
  const ordered = [...insertions].toSorted((a, b) => a.offset - b.offset);
  const parts = cutPage(
    page,
    ordered.map(({ offset }) => offset),
  );
  return parts.map((part, index) => part + (ordered[index]?.text ?? "")).join("");
}
