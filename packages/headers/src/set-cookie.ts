/** A Set-Cookie header taken apart; attributes keep their spelling. */
interface SetCookie {
  readonly name: string;
  readonly value: string;
  readonly attributes: readonly CookieAttribute[];
}

interface CookieAttribute {
  readonly name: string;
  readonly value: string | undefined;
}

/** What every cookie is to have. */
export interface CookieRules {
  /** Whether the response goes over TLS. */
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly sameSite: "Strict" | "Lax" | false;
}

/** A cookie as it should be sent, and what was done to it. */
export interface HardenedCookie {
  readonly name: string;
  /** The header's value. */
  readonly text: string;
  /** Attributes that were added, such as `"Secure"`, or taken out, such as `"-Domain"`. */
  readonly changes: readonly string[];
  /** Why browsers drop the cookie, where nothing here can help it. */
  readonly problems: readonly string[];
}

const SAME_SITE_VALUES: ReadonlySet<string> = new Set(["strict", "lax", "none"]);

/** RFC 6265bis section 5.7: browsers ignore a cookie whose name and value are longer together. */
const MAX_COOKIE_BYTES = 4096;

/** What browsers ask of names that begin so, in any case (RFC 6265bis section 4.1.3). */
const PREFIXES = [
  { prefix: "__host-http-", hostOnly: true, httpOnly: true },
  { prefix: "__host-", hostOnly: true, httpOnly: false },
  { prefix: "__http-", hostOnly: false, httpOnly: true },
  { prefix: "__secure-", hostOnly: false, httpOnly: false },
] as const;

/** Splits as browsers do (RFC 6265bis section 5.6): no quoting, the first `=` counts. */
function parseSetCookie(text: string): SetCookie {
  const [pair = "", ...rest] = text.split(";");
  const [name, value] = splitPair(pair);
  return {
    name: value === undefined ? "" : name,
    value: value ?? name,
    attributes: rest.map((part) => {
      const [attribute, attributeValue] = splitPair(part);
      return { name: attribute, value: attributeValue };
    }),
  };
}

function splitPair(text: string): [string, string | undefined] {
  const at = text.indexOf("=");
  return at === -1
    ? [text.trim(), undefined]
    : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

/** The attributes while they are being changed. The last of a name is the one that counts. */
class AttributeList {
  #attributes: readonly CookieAttribute[];
  readonly changes: string[] = [];

  constructor(attributes: readonly CookieAttribute[]) {
    this.#attributes = attributes;
  }

  valueOf(name: string): string | undefined {
    const found = this.#attributes.findLast((attribute) => isNamed(attribute, name));
    return found && (found.value ?? "");
  }

  require(name: string, value?: string): void {
    const present = this.valueOf(name);
    if (present !== undefined && (value === undefined || present === value)) return;
    const others = this.#attributes.filter((attribute) => !isNamed(attribute, name));
    this.#attributes = [...others, { name, value }];
    this.changes.push(value === undefined ? name : `${name}=${value}`);
  }

  remove(name: string): void {
    if (this.valueOf(name) === undefined) return;
    this.#attributes = this.#attributes.filter((attribute) => !isNamed(attribute, name));
    this.changes.push(`-${name}`);
  }

  toString(): string {
    return this.#attributes
      .map(({ name, value }) => (value === undefined ? `; ${name}` : `; ${name}=${value}`))
      .join("");
  }
}

function isNamed(attribute: CookieAttribute, name: string): boolean {
  return attribute.name.toLowerCase() === name.toLowerCase();
}

function prefixOf(text: string): (typeof PREFIXES)[number] | undefined {
  return PREFIXES.find(({ prefix }) => text.toLowerCase().startsWith(prefix));
}

/** Returns why browsers drop the cookie over this connection, whatever attributes it has. */
function problemsOf(
  { name, value }: SetCookie,
  attributes: AttributeList,
  rules: CookieRules,
): string[] {
  const needsTls =
    prefixOf(name) !== undefined || attributes.valueOf("SameSite")?.toLowerCase() === "none";
  return [
    ...(name === "" && prefixOf(value) !== undefined ? ["its name is in its value"] : []),
    ...(needsTls && !rules.secure ? ["it needs TLS"] : []),
    ...(Buffer.byteLength(name + value) > MAX_COOKIE_BYTES
      ? [`name and value are longer than ${MAX_COOKIE_BYTES} bytes`]
      : []),
  ];
}

/**
 * Returns a Set-Cookie value with what `rules` and the prefix of its name ask for. A SameSite that the
 * application chose stays; one that no browser knows counts as none.
 */
export function hardenCookie(text: string, rules: CookieRules): HardenedCookie {
  const cookie = parseSetCookie(text);
  const attributes = new AttributeList(cookie.attributes);
  const prefix = prefixOf(cookie.name);
  if (prefix?.hostOnly === true) {
    attributes.remove("Domain");
    attributes.require("Path", "/");
  }
  if (rules.httpOnly || prefix?.httpOnly === true) attributes.require("HttpOnly");
  const sameSite = attributes.valueOf("SameSite")?.toLowerCase() ?? "";
  if (rules.sameSite !== false && !SAME_SITE_VALUES.has(sameSite)) {
    attributes.require("SameSite", rules.sameSite);
  }
  if (rules.secure) attributes.require("Secure");
  const { changes } = attributes;
  return {
    name: cookie.name,
    text: changes.length === 0 ? text : `${text.split(";", 1)[0] ?? ""}${attributes.toString()}`,
    changes,
    problems: problemsOf(cookie, attributes, rules),
  };
}
