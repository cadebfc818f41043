import { children, DER_TAG, readElement } from "./der.ts";
import { formatObjectIdentifier } from "./object-identifier.ts";

/** One attribute of a distinguished name, such as the common name. */
export interface NameAttribute {
  /** Dotted object identifier. */
  readonly type: string;
  readonly value: string;
}

/** Object identifiers of the attributes that carry names of their own (X.520, RFC 2985). */
export const ATTRIBUTE = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  emailAddress: "1.2.840.113549.1.9.1",
} as const;

/** Short names of RFC 4514 section 3, and those OpenSSL adds. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "street",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "0.9.2342.19200300.100.1.25": "DC",
  "1.2.840.113549.1.9.1": "emailAddress",
};

/** Returns a distinguished name on one line, such as "O=Example, CN=app.test". */
export function formatDistinguishedName(attributes: readonly NameAttribute[]): string {
  return attributes.map(({ type, value }) => `${SHORT_NAMES[type] ?? type}=${value}`).join(", ");
}

/**
 * Returns the attributes of a distinguished name in their order.
 *
 * @throws {SyntaxError} If its DER is malformed
 * @see RFC 5280 section 4.1.2.4
 */
export function readDistinguishedName(der: Buffer): NameAttribute[] {
  const relativeNames = children(readElement(der, DER_TAG.sequence));
  return relativeNames.flatMap(children).flatMap((attribute) => {
    const [type, value] = children(attribute);
    if (type === undefined || value === undefined) return [];
    return [{ type: formatObjectIdentifier(type.content), value: readText(value) }];
  });
}

function readText({ tag, content }: { tag: number; content: Buffer }): string {
  if (tag === DER_TAG.utf8String) return content.toString("utf8");
  const isUtf16 = tag === DER_TAG.bmpString && content.length % 2 === 0;
  return isUtf16 ? Buffer.from(content).swap16().toString("utf16le") : content.toString("latin1");
}
