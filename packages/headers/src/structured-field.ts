const KEY = /^[a-z*][a-z0-9_.*-]*$/;

/**
 * Whether `text` can name a member of a dictionary or a parameter.
 *
 * @see RFC 9651 section 3.1.2
 */
export function isKey(text: string): boolean {
  return KEY.test(text);
}

/** Returns `text` as a string item, its quotes and backslashes escaped. */
export function stringItem(text: string): string {
  return `"${text.replace(/[\\"]/g, String.raw`\$&`)}"`;
}

/** Returns tokens or items as an inner list (RFC 9651 section 3.1.1). */
export function innerList(items: readonly string[]): string {
  return `(${items.join(" ")})`;
}
