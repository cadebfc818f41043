const ENTITY_TAG = /^(W\/)?"[\x21\x23-\x7e\x80-\xff]*"/;

/**
 * Returns whether a list of entity tags (If-Match, If-None-Match) holds `etag`, or is `*`.
 * Strong comparison wants both tags strong; weak comparison ignores the `W/` mark.
 * A malformed list matches nothing from the malformed place on.
 *
 * @see RFC 9110 section 8.8.3.2
 */
export function matchesEntityTag(
  list: string,
  etag: string,
  comparison: "strong" | "weak",
): boolean {
  let rest = list.trim();
  if (rest === "*") return true;
  while (rest !== "") {
    const tag = ENTITY_TAG.exec(rest)?.[0];
    if (tag === undefined) return false;
    const isWeak = tag.startsWith("W/");
    if ((comparison === "weak" || !isWeak) && (isWeak ? tag.slice(2) : tag) === etag) return true;
    rest = rest.slice(tag.length).trimStart();
    if (rest !== "" && !rest.startsWith(",")) return false;
    rest = rest.replace(/^[,\s]+/, "");
  }
  return false;
}
