import type { BanEvent } from "./ban-list.ts";
import type { ConnectionRefusedEvent } from "./connection-limit.ts";

/**
 * Returns a line for a log that fail2ban reads, without its line break:
 *
 * `2026-11-22T10:00:00.000Z hauberk: banned 192.0.2.7 for 600 s: "failed logins"`
 *
 * Addresses and networks stand as they are. Everything a client may have chosen (keys, reasons) is
 * quoted and stands where the filter of docs/guides/fail2ban.md does not look for addresses.
 */
export function banLogLine(event: BanEvent | ConnectionRefusedEvent, at: Date): string {
  return `${at.toISOString()} hauberk: ${sentenceOf(event)}`;
}

function sentenceOf(event: BanEvent | ConnectionRefusedEvent): string {
  if (event.kind === "connection-refused") {
    return `refused ${event.address}: ${event.reason}`;
  }
  const { entry, isKey, reason, remainingMs } = event.ban;
  const subject = isKey ? `key ${asciiQuoted(entry)}` : entry;
  if (event.kind === "unbanned") return `unbanned ${subject}`;
  const why = reason === "" ? "" : `: ${asciiQuoted(reason)}`;
  return `banned ${subject} for ${Math.ceil(remainingMs / 1000)} s${why}`;
}

/** JSON with nothing but printable ASCII: no line break, no terminal control, no look-alike. */
function asciiQuoted(text: string): string {
  return JSON.stringify(text).replaceAll(/[^\x20-\x7e]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
