/** One block of a PEM text. */
export interface PemBlock {
  /** What stands after BEGIN, such as "CERTIFICATE" or "PRIVATE KEY". */
  readonly label: string;
  readonly der: Buffer;
  /**
   * The lines before the base64, empty in all modern files. In the old form of OpenSSL they tell how
   * `der` is encrypted (RFC 1421 section 4.6).
   */
  readonly headers: string;
}

const BEGIN = "-----BEGIN ";
const DASHES = "-----";
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const HEADERS = /^\s*(?:[A-Za-z][A-Za-z0-9-]*:.*\n(?:[ \t].*\n)*)+\r?\n/;

/**
 * Returns the blocks of a PEM text in their order.
 * A byte-order mark, CRLF and text around the blocks are passed over, as RFC 7468 section 2 allows.
 *
 * @throws {SyntaxError} If a block has no end, no label or a body that is not base64
 */
export function splitPem(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let begin = text.indexOf(BEGIN);
  while (begin !== -1) {
    const labelStart = begin + BEGIN.length;
    const labelEnd = text.indexOf(DASHES, labelStart);
    const label = text.slice(labelStart, labelEnd);
    if (labelEnd === -1 || !/^[A-Z0-9 ]+$/.test(label)) {
      throw new SyntaxError("Cannot read PEM: a BEGIN line has no label");
    }
    const endLine = `-----END ${label}-----`;
    const bodyStart = labelEnd + DASHES.length;
    const bodyEnd = text.indexOf(endLine, bodyStart);
    if (bodyEnd === -1) throw new SyntaxError(`Cannot read PEM: END ${label} is missing`);
    const body = text.slice(bodyStart, bodyEnd);
    const headers = HEADERS.exec(body)?.[0] ?? "";
    blocks.push({
      label,
      der: decodeBody(label, body.slice(headers.length)),
      headers: headers.trim(),
    });
    begin = text.indexOf(BEGIN, bodyEnd + endLine.length);
  }
  return blocks;
}

/** Returns `der` as one PEM block with 64 characters a line. */
export function toPem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `${BEGIN}${label}${DASHES}\n${lines.join("\n")}\n-----END ${label}${DASHES}\n`;
}

function decodeBody(label: string, body: string): Buffer {
  const base64 = body.replaceAll(/\s/g, "");
  if (!BASE64.test(base64)) {
    throw new SyntaxError(`Cannot read PEM: the body of ${label} is not base64`);
  }
  return Buffer.from(base64, "base64");
}
