import { randomFillSync } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";

const NONCE_BYTES = 18;
const POOL_BYTES = NONCE_BYTES * 455;

const RESPONSE_NONCE: unique symbol = Symbol("hauberk.cspNonce");

const NONCE_READ: unique symbol = Symbol("hauberk.cspNonceRead");

/** A response of node:http or of the compatibility API of node:http2. */
export type NonceResponse = (ServerResponse | Http2ServerResponse) & {
  [RESPONSE_NONCE]?: string;
  [NONCE_READ]?: boolean;
};

const pool = Buffer.alloc(POOL_BYTES);
let nextByte = POOL_BYTES;

/**
 * Returns a fresh nonce: 24 characters of base64url, 144 random bits.
 * The alphabet (`A-Z a-z 0-9 - _`) needs no escaping in HTML, JSON or a header.
 *
 * Bytes come from an 8 KB pool that node:crypto fills (60 ns a nonce instead of 2300). Each
 * process and each worker thread fills its own, also under node:cluster, which starts new processes
 * and does not copy memory. A snapshot of a running process or virtual machine does copy it: clones
 * repeat up to 455 nonces.
 *
 * @see CSP Level 3 section 7.1: at least 128 bits, fresh for each response
 */
export function createNonce(): string {
  if (nextByte === POOL_BYTES) {
    randomFillSync(pool);
    nextByte = 0;
  }
  return pool.toString("base64url", nextByte, (nextByte += NONCE_BYTES));
}

/**
 * Returns the nonce of `response` and makes one at the first call, so that a middleware mounted
 * twice leaves the nonce that a page may already contain. Express templates find it in `res.locals`.
 */
export function assignNonce(response: NonceResponse): string {
  const nonce = (response[RESPONSE_NONCE] ??= createNonce());
  if ("locals" in response && typeof response.locals === "object" && response.locals !== null) {
    Reflect.set(response.locals, "cspNonce", nonce);
  }
  return nonce;
}

/**
 * Returns the nonce that `securityHeaders()` chose for this response: the value for the `nonce`
 * attribute of its script and style elements, equal to `res.locals.cspNonce` under Express.
 *
 * A page that contains a nonce must not be stored by a cache: its next reader gets another header.
 *
 * @throws {TypeError} If the middleware did not run for this response.
 */
export function cspNonce(response: ServerResponse | Http2ServerResponse): string {
  const owner = response as NonceResponse;
  const nonce = owner[RESPONSE_NONCE];
  if (nonce === undefined) {
    throw new TypeError(
      "Cannot read the CSP nonce: securityHeaders() did not run for this response; mount it before the route",
    );
  }
  owner[NONCE_READ] = true;
  return nonce;
}

/** From here on `isNonceRead()` also knows of reading `res.locals.cspNonce`. */
export function watchNonce(response: NonceResponse): void {
  if (!("locals" in response)) return;
  const { locals } = response;
  if (typeof locals !== "object" || locals === null || !("cspNonce" in locals)) return;
  Object.defineProperty(locals, "cspNonce", {
    configurable: true,
    enumerable: true,
    get() {
      response[NONCE_READ] = true;
      return response[RESPONSE_NONCE];
    },
  });
}

/** Whether somebody asked for the nonce of this response, so that its page may contain it. */
export function isNonceRead(response: NonceResponse): boolean {
  return response[NONCE_READ] === true;
}
