import { domainToASCII, domainToUnicode } from "node:url";
import type { Parsed } from "./ip-address.ts";

const MAX_LABEL_CHARS = 63;
const MAX_NAME_CHARS = 253;

/**
 * Returns a host name in canonical form: A-labels in lower case, no final dot.
 * Accepts one wildcard, as the whole leftmost label, over at least two more.
 *
 * @see RFC 1123 section 2.1, RFC 5890 section 2.3, RFC 9525 section 6.3
 */
export function parseDnsName(text: string): Parsed {
  const isWildcard = text.startsWith("*.");
  const host = parseHost(isWildcard ? text.slice(2) : text);
  if (!isWildcard || "reason" in host) return host;
  if (!host.value.includes(".")) {
    return {
      reason:
        "Node.js and browsers refuse a wildcard right under a top-level name; " +
        `list the names, or go one level deeper as in ${JSON.stringify(`*.app.${host.value}`)}`,
    };
  }
  const value = `*.${host.value}`;
  return value.length > MAX_NAME_CHARS ? tooLong(value) : { value };
}

function parseHost(text: string): Parsed {
  if (text.includes("*")) {
    return { reason: 'a wildcard must be the whole first label, as in "*.app.test"' };
  }
  const foreign = /[^A-Za-z0-9.\-\u0080-\u{10ffff}]/u.exec(text)?.[0];
  if (foreign === "_") {
    return { reason: "a host name has no underscore (RFC 1123 section 2.1); use a hyphen" };
  }
  if (foreign !== undefined) return { reason: `it contains ${JSON.stringify(foreign)}` };
  const ascii = toAscii(text);
  if (ascii === undefined) {
    return { reason: "it is not a valid internationalised name (UTS 46)" };
  }
  const host = ascii.replace(/\.$/, "");
  const labels = host.split(".");
  for (const label of labels) {
    const reason = labelFault(label);
    if (reason !== undefined) return { reason };
  }
  // WHATWG URL "ends in a number": browsers read such a host as an IPv4 address or not at all.
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? "")) {
    return {
      reason:
        "it ends in a number, so it can only be an IPv4 address, " +
        "and those are four decimal numbers up to 255 without leading zeros",
    };
  }
  return host.length > MAX_NAME_CHARS ? tooLong(host) : { value: host };
}

/** Returns the A-label form, or undefined for what UTS 46 refuses. */
function toAscii(text: string): string | undefined {
  const lower = text.toLowerCase();
  if (/^[a-z0-9.-]*$/.test(lower) && !/(?:^|\.)xn--/.test(lower)) return lower;
  const ascii = domainToASCII(text);
  const isValid = ascii !== "" && ascii.split(".").every(isPlainOrALabel);
  return isValid ? ascii : undefined;
}

/** Node 24 hands malformed A-labels such as "xn--a" through as they are; Node 20 takes "xn--zzzzzz--". */
function isPlainOrALabel(label: string): boolean {
  if (!label.startsWith("xn--")) return true;
  const unicode = domainToUnicode(label);
  return /[\u0080-\u{10ffff}]/u.test(unicode) && domainToASCII(unicode) === label;
}

function labelFault(label: string): string | undefined {
  if (label === "") return "a part between two dots is empty";
  if (label.length > MAX_LABEL_CHARS) {
    return `the part ${JSON.stringify(label)} has ${label.length} characters, ${MAX_LABEL_CHARS} are allowed`;
  }
  if (label.startsWith("-") || label.endsWith("-")) {
    return `the part ${JSON.stringify(label)} starts or ends with a hyphen`;
  }
  return /^[a-z0-9-]+$/.test(label) ? undefined : `the part ${JSON.stringify(label)} is malformed`;
}

function tooLong(name: string): Parsed {
  return { reason: `it has ${name.length} characters, ${MAX_NAME_CHARS} are allowed` };
}
