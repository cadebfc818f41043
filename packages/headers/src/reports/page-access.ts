import { createHash, timingSafeEqual } from "node:crypto";
import { echo } from "../option-checks.ts";

const MIN_TOKEN_CHARACTERS = 16;
const LOOPBACK_HOST =
  /^(?:localhost|(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;
const LOOPBACK_ADDRESS = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/;
/** A proxy on this machine makes all its clients look local. */
const FORWARDING_FIELDS = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/** What decides who may read the page of reports. */
export interface PageRequest {
  /** Address of the peer at the other end of the connection. */
  readonly peerAddress: string | undefined;
  readonly host: string | undefined;
  readonly field: (name: string) => string | undefined;
}

/** Whether a request may see the page; where it may not, whether a token would help. */
export type PageAccess = "granted" | "token-needed" | "denied";

/**
 * Returns who may read the page: with a token whoever shows it, as the password of Basic
 * authentication or as a Bearer token; without one, this machine alone.
 *
 * @throws {TypeError | RangeError} If the token is no text of at least 16 visible ASCII characters.
 */
export function createPageAccess(token: unknown): (request: PageRequest) => PageAccess {
  if (token === undefined) return (request) => (isLocal(request) ? "granted" : "denied");
  if (typeof token !== "string") {
    throw new TypeError(`page.token must be a string, got ${echo(typeof token)}`);
  }
  if (!/^[\x21-\x7e]+$/.test(token) || token.length < MIN_TOKEN_CHARACTERS) {
    throw new RangeError(
      `page.token must have at least ${MIN_TOKEN_CHARACTERS} visible ASCII characters`,
    );
  }
  const expected = digest(token);
  return ({ field }) => {
    const shown = shownToken(field("authorization") ?? "");
    return timingSafeEqual(digest(shown), expected) ? "granted" : "token-needed";
  };
}

/** A page elsewhere can point its own name at 127.0.0.1 (DNS rebinding): the Host has to be local too. */
function isLocal({ peerAddress, host, field }: PageRequest): boolean {
  return (
    LOOPBACK_ADDRESS.test(peerAddress ?? "") &&
    LOOPBACK_HOST.test(host ?? "") &&
    FORWARDING_FIELDS.every((name) => field(name) === undefined)
  );
}

function shownToken(authorization: string): string {
  const [, scheme = "", credentials = ""] = /^(\w+) +(\S+)$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === "bearer") return credentials;
  if (scheme.toLowerCase() !== "basic") return "";
  const pair = Buffer.from(credentials, "base64").toString();
  return pair.slice(pair.indexOf(":") + 1);
}

/** Of equal length for any two texts, as the comparison needs. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
