import { children, DER_TAG, readElement } from "./der.ts";
import { formatObjectIdentifier } from "./object-identifier.ts";

/** One attribute of a distinguished name, such as the common name. */
export interface NameAttribute {
  /** Dotted object identifier. */
  readonly type: string;
  readonly value: string;
}

/** Object identifiers of the attributes that carry names of their own (X.520, RFC 2985). */
export const ATTRIBUTE = { commonName: "2.5.4.3", emailAddress: "1.2.840.113549.1.9.1" } as const;

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
