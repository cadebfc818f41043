/** Content codings of precompressed siblings, the preferred first when the client likes them alike. */
export const CODINGS = ["br", "zstd", "gzip"] as const;

export type Coding = (typeof CODINGS)[number];

/** File name suffix of the sibling that holds a representation in that coding. */
export const CODING_SUFFIX: Readonly<Record<Coding, string>> = {
  br: ".br",
  zstd: ".zst",
  gzip: ".gz",
};

const ELEMENT = /^([!#$%&'*+.^_`|~\w-]+)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i;

/**
 * Returns the coding to send out of `available`, `"identity"` for none,
 * or undefined when the client refuses all of them and identity as well.
 * The highest weight wins; at equal weight a coding wins over identity, in the order of CODINGS.
 *
 * @see RFC 9110 section 12.5.3
 */
export function selectCoding(
  acceptEncoding: string | undefined,
  available: readonly Coding[],
): Coding | "identity" | undefined {
  if (acceptEncoding === undefined) return "identity";
  const weights = parseAcceptEncoding(acceptEncoding);
  const wildcard = weights.get("*");
  let selected: Coding | "identity" | undefined;
  let best = 0;
  for (const coding of CODINGS) {
    if (!available.includes(coding)) continue;
    const weight = weights.get(coding) ?? wildcard ?? 0;
    if (weight > best) {
      best = weight;
      selected = coding;
    }
  }
  const identity = weights.get("identity") ?? (wildcard === 0 ? 0 : undefined);
  if (identity === undefined) return selected ?? "identity";
  return identity > best ? "identity" : selected;
}

/** An element that does not parse is skipped: it names no coding this server has. */
function parseAcceptEncoding(header: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const element of header.split(",", 32)) {
    const match = ELEMENT.exec(element.trim());
    if (match === null) continue;
    const name = (match[1] ?? "").toLowerCase();
    weights.set(name === "x-gzip" ? "gzip" : name, match[2] === undefined ? 1 : Number(match[2]));
  }
  return weights;
}
