import { createDecipheriv, createHmac, type CipherGCMTypes } from "node:crypto";

/** What was heard of one handshake. */
export interface RecordedHandshake {
  /** Everything the server sent, from its first byte on. */
  readonly received: Buffer;
  /** The secret of the server's handshake messages in TLS 1.3; undefined before. */
  readonly serverSecret: Buffer | undefined;
  /** The standard name of the cipher suite. */
  readonly cipher: string | undefined;
}

interface TlsRecord {
  readonly type: number;
  /** The five bytes before the content: also what the encryption authenticates. */
  readonly header: Buffer;
  readonly content: Buffer;
}

interface Suite {
  readonly cipher: CipherGCMTypes | "chacha20-poly1305";
  readonly hash: string;
  readonly keyBytes: number;
}

/** @see RFC 8446 appendix B.4 */
const SUITES: Readonly<Record<string, Suite>> = {
  TLS_AES_128_GCM_SHA256: { cipher: "aes-128-gcm", hash: "sha256", keyBytes: 16 },
  TLS_AES_256_GCM_SHA384: { cipher: "aes-256-gcm", hash: "sha384", keyBytes: 32 },
  TLS_CHACHA20_POLY1305_SHA256: { cipher: "chacha20-poly1305", hash: "sha256", keyBytes: 32 },
};

const CHANGE_CIPHER_SPEC = 20;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const CERTIFICATE_MESSAGE = 11;
const HEADER_BYTES = 5;
const TAG_BYTES = 16;
const IV_BYTES = 12;

/**
 * Returns the certificates in the very order the server sent them, DER; undefined when its message
 * is not there. Node itself shows them in the order in which they belong, and only those that belong.
 *
 * @see RFC 5246 section 7.4.2, RFC 8446 section 4.4.2
 */
export function sentCertificates(handshake: RecordedHandshake): Buffer[] | undefined {
  const records = readRecords(handshake.received);
  const { serverSecret } = handshake;
  const messages =
    serverSecret === undefined
      ? plainMessages(records)
      : decryptedMessages(records, serverSecret, SUITES[handshake.cipher ?? ""]);
  const body = findMessage(messages, CERTIFICATE_MESSAGE);
  if (body === undefined) return undefined;
  // TLS 1.3 puts a context before the list, and extensions after each certificate.
  const isTls13 = serverSecret !== undefined;
  const list = isTls13 ? body.subarray(1 + (body[0] ?? 0)) : body;
  return readList(list.subarray(3, 3 + readLength(list, 0)), isTls13);
}

function readRecords(received: Buffer): TlsRecord[] {
  const records: TlsRecord[] = [];
  let offset = 0;
  while (offset + HEADER_BYTES <= received.length) {
    const start = offset + HEADER_BYTES;
    const end = start + received.readUInt16BE(offset + 3);
    if (end > received.length) break;
    records.push({
      type: received[offset] ?? 0,
      header: received.subarray(offset, start),
      content: received.subarray(start, end),
    });
    offset = end;
  }
  return records;
}

function plainMessages(records: readonly TlsRecord[]): Buffer {
  const encrypted = records.findIndex(({ type }) => type === CHANGE_CIPHER_SPEC);
  const plain = encrypted === -1 ? records : records.slice(0, encrypted);
  return Buffer.concat(
    plain.filter(({ type }) => type === HANDSHAKE).map(({ content }) => content),
  );
}

/** @see RFC 8446 sections 5.2 and 7.3 */
function decryptedMessages(
  records: readonly TlsRecord[],
  secret: Buffer,
  suite: Suite | undefined,
): Buffer {
  if (suite === undefined) return Buffer.alloc(0);
  const key = expandLabel(secret, "key", suite.keyBytes, suite.hash);
  const iv = expandLabel(secret, "iv", IV_BYTES, suite.hash);
  const parts: Buffer[] = [];
  for (const [sequence, record] of records.filter(isEncrypted).entries()) {
    const plain = decrypt(record, suite, key, nonce(iv, sequence));
    if (plain === undefined) break;
    const last = plain.findLastIndex((byte) => byte !== 0);
    if (plain[last] === HANDSHAKE) parts.push(plain.subarray(0, last));
  }
  return Buffer.concat(parts);
}

function isEncrypted({ type }: TlsRecord): boolean {
  return type === APPLICATION_DATA;
}

/** Returns undefined for the first record under the keys that follow the handshake. */
function decrypt(
  { header, content }: TlsRecord,
  { cipher }: Suite,
  key: Buffer,
  iv: Buffer,
): Buffer | undefined {
  if (content.length <= TAG_BYTES) return undefined;
  const options = { authTagLength: TAG_BYTES };
  const decipher =
    cipher === "chacha20-poly1305"
      ? createDecipheriv(cipher, key, iv, options)
      : createDecipheriv(cipher, key, iv, options);
  decipher.setAAD(header, { plaintextLength: content.length - TAG_BYTES });
  decipher.setAuthTag(content.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(content.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch {
    // The tag does not fit: the only reason for which final() throws here.
    return undefined;
  }
}

/** HKDF-Expand-Label with an empty context; no output here is longer than its hash. */
function expandLabel(secret: Buffer, label: string, bytes: number, hash: string): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.of(0, bytes, name.length), name, Buffer.of(0, 1)]);
  return createHmac(hash, secret).update(info).digest().subarray(0, bytes);
}

function nonce(iv: Buffer, sequence: number): Buffer {
  const bytes = Buffer.from(iv);
  bytes.writeUInt32BE((bytes.readUInt32BE(IV_BYTES - 4) ^ sequence) >>> 0, IV_BYTES - 4);
  return bytes;
}

function findMessage(messages: Buffer, wanted: number): Buffer | undefined {
  for (let offset = 0; offset + 4 <= messages.length;) {
    const end = offset + 4 + readLength(messages, offset + 1);
    if (messages[offset] === wanted && end <= messages.length) {
      return messages.subarray(offset + 4, end);
    }
    offset = end;
  }
  return undefined;
}

function readList(list: Buffer, hasExtensions: boolean): Buffer[] {
  const certificates: Buffer[] = [];
  for (let offset = 0; offset + 3 <= list.length;) {
    const end = offset + 3 + readLength(list, offset);
    certificates.push(list.subarray(offset + 3, end));
    const extensions = hasExtensions && end + 2 <= list.length ? 2 + list.readUInt16BE(end) : 0;
    offset = end + extensions;
  }
  return certificates;
}

/** A length of three bytes; 0 where the bytes end. */
function readLength(bytes: Buffer, offset: number): number {
  return offset + 3 <= bytes.length ? bytes.readUIntBE(offset, 3) : 0;
}
