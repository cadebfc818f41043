const LONGEST_QUOTE_CHARS = 300;

/** Returns `value` as JSON on one line, safe to show in a terminal or a log. */
export function quote(value: unknown): string {
  const hasNoJson = typeof value === "number" || typeof value === "bigint";
  const json = hasNoJson ? String(value) : toJson(value);
  // JSON leaves C1 controls, bidi overrides and U+2028 as they are: each can forge a log line.
  const visible = json.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  if (visible.length <= LONGEST_QUOTE_CHARS) return visible;
  return `${visible.slice(0, LONGEST_QUOTE_CHARS)}... (${visible.length} characters)`;
}

/** JSON knows nothing of undefined, functions and symbols, though its type says otherwise. */
function toJson(value: unknown): string {
  const json: unknown = JSON.stringify(value);
  return typeof json === "string" ? json : typeof value;
}
