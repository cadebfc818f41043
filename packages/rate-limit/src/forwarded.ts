// RFC 7239 section 4: forwarded-pair, with token and quoted-string of RFC 9110 section 5.6.
const PAIR =
  /^[ \t]*(?:([!#$%&'*+.^_`|~\w-]+)=(?:([!#$%&'*+.^_`|~\w-]+)|"((?:[^"\\]|\\.)*)"))?[ \t]*/;

/**
 * Returns the `for` node of every element of a Forwarded field, in order; undefined for an element
 * without one.
 *
 * Returns undefined for a field with any fault: a client that opens a quote which the proxy's
 * element then closes (`for="`) must not swallow that element.
 *
 * @see RFC 7239 section 4
 */
export function forwardedNodes(field: string): (string | undefined)[] | undefined {
  const nodes: (string | undefined)[] = [];
  let names = new Set<string>();
  let node: string | undefined;
  let position = 0;
  for (;;) {
    const [pair, name, token, quoted] = PAIR.exec(field.slice(position))!;
    if (name !== undefined) {
      const key = name.toLowerCase();
      // RFC 7239 section 4: each parameter MUST NOT occur more than once per element.
      if (names.has(key)) return undefined;
      names.add(key);
      if (key === "for") node = token ?? quoted!.replaceAll(/\\(.)/g, "$1");
    }
    const separator = field[position + pair.length];
    position += pair.length + 1;
    if (separator === ";") continue;
    if (separator !== "," && separator !== undefined) return undefined;
    if (names.size > 0) nodes.push(node);
    if (separator === undefined) return nodes;
    names = new Set();
    node = undefined;
  }
}
