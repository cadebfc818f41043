import { createHash } from "node:crypto";

/** Keys that stay readable for whoever looks into Redis. No braces: they would end the hash tag. */
const PLAIN_KEY = /^[\w.:/@-]{1,64}$/;

/**
 * Returns the name under which Redis keeps the debt of a key: `prefix:{key}:policy`.
 *
 * What stands in braces decides about the slot in a cluster, so all policies of one client are in one
 * slot. Any other key than a short plain one is written as `#` and 192 bits of its SHA-256, over
 * UTF-16 so that lone surrogates stay distinct. `prefix` must hold no brace.
 *
 * @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
 */
export function keyName(prefix: string, policyName: string, key: string): string {
  return `${prefix}:{${PLAIN_KEY.test(key) ? key : digestOf(key)}}:${policyName}`;
}

function digestOf(key: string): string {
  const digest = createHash("sha256").update(Buffer.from(key, "utf16le")).digest("base64url");
  return `#${digest.slice(0, 32)}`;
}

const SLOTS = 16_384;
const CRC16_POLYNOMIAL = 0x1021;

const CRC16_TABLE: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte << 8;
  for (let bit = 0; bit < 8; bit++) {
    remainder = (remainder << 1) ^ (remainder & 0x8000 ? CRC16_POLYNOMIAL : 0);
  }
  return remainder & 0xffff;
});

/** Returns the cluster slot of a name made by `keyName`: CRC16 (XMODEM) of its tag, which is ASCII. */
export function slotOf(name: string): number {
  const start = name.indexOf("{") + 1;
  const end = name.indexOf("}", start);
  let remainder = 0;
  for (let index = start; index < end; index++) {
    const byte = (remainder >> 8) ^ name.charCodeAt(index);
    remainder = ((remainder << 8) & 0xffff) ^ CRC16_TABLE[byte]!;
  }
  return remainder % SLOTS;
}
