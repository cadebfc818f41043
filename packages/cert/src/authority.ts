import { createPublicKey, randomBytes, sign, X509Certificate, type KeyObject } from "node:crypto";
import { readCertificate } from "./certificate-reader.ts";
import { validity } from "./inspect.ts";
import { keyIdentifier } from "./key-identifier.ts";
import { generatePrivateKey, keyKindOption, signatureAlgorithm, type KeyKind } from "./key-pair.ts";
import {
  constraintsFor,
  DEVELOPMENT_NAMES,
  type NameConstraints,
  type PermittedNames,
} from "./name-constraints.ts";
import { checkOptionKeys, dateOption, integerOption } from "./options.ts";
import { toPem } from "./pem.ts";
import type { Validity } from "./renewal.ts";

/** Milliseconds a certificate starts before it is made, for clients whose clock is behind. */
const BACKDATE_MS = 3_600_000;
const DAY_MS = 86_400_000;

const ORGANIZATION = "Hauberk development CA";
const SERIAL_BYTES = 18;

/**
 * A certificate authority that can sign leaves.
 * Its private key stays inside `sign` and is never a property.
 */
export interface Authority extends Validity {
  /** The CA certificate in PEM: what clients have to trust. */
  readonly certificate: string;
  /** The distinguished name on one line. */
  readonly subject: string;
  readonly key: KeyKind;
  /** SHA-256 of the certificate, as colon-separated upper-case hexadecimal. */
  readonly fingerprint256: string;
  /** Whether name constraints limit both the DNS names and the addresses it may sign. */
  readonly constrained: boolean;
  readonly nameConstraints: NameConstraints | undefined;
  /** Signs the DER of a TBSCertificate with the key of the CA. */
  readonly sign: (tbsCertificate: Uint8Array) => Buffer;
}

/** Options of `createAuthority`. */
export interface CreateAuthorityOptions {
  /**
   * Kind of key.
   *
   * @default "p256"
   */
  readonly key?: KeyKind | undefined;
  /**
   * Lifetime in days, integer 1 to 7300.
   *
   * @default 3650 (ten years: replacing a CA means trusting it anew on every machine)
   */
  readonly days?: number | undefined;
  /**
   * What the CA may sign. With `false` it may sign for any name on the Internet: whoever gets its key
   * can then impersonate every site to the machines that trust it.
   *
   * @default DEVELOPMENT_NAMES
   * @see RFC 5280 section 4.2.1.10
   */
  readonly nameConstraints?: PermittedNames | false | undefined;
  /**
   * Present time; the CA is valid from one hour before.
   *
   * @default the system clock
   */
  readonly now?: Date | undefined;
}

const OPTION_KEYS = {
  key: true,
  days: true,
  nameConstraints: true,
  now: true,
} satisfies Record<keyof CreateAuthorityOptions, true>;

/**
 * Creates a CA in memory: self-signed, name-constrained, allowed to sign leaves only (pathLen 0).
 *
 * @throws {TypeError} If an option is unknown or malformed
 * @throws {RangeError} If `days` is out of range
 */
export async function createAuthority(options: CreateAuthorityOptions = {}): Promise<Authority> {
  return (await generateAuthority(options)).authority;
}

/** A new CA together with the private key, for whoever has to store it. */
export interface GeneratedAuthority {
  readonly authority: Authority;
  readonly privateKey: KeyObject;
}

export async function generateAuthority(
  options: CreateAuthorityOptions,
): Promise<GeneratedAuthority> {
  checkOptionKeys("createAuthority", options, OPTION_KEYS);
  const kind = keyKindOption("key", options.key) ?? "p256";
  const days = integerOption("days", options.days, { fallback: 3650, min: 1, max: 7300 });
  const now = dateOption("now", options.now);
  const permitted = options.nameConstraints ?? DEVELOPMENT_NAMES;
  const nameConstraints = permitted === false ? undefined : constraintsFor(permitted);

  const { buildAuthorityCertificate } = await import("./certificate-builder.ts");
  const privateKey = await generatePrivateKey(kind);
  const publicKey = createPublicKey(privateKey);
  const der = buildAuthorityCertificate(
    {
      subject: {
        organization: ORGANIZATION,
        // Tells two CAs apart without a user or host name, which mkcert lets every visitor read.
        commonName: `${ORGANIZATION} ${keyIdentifier(publicKey).toString("hex", 0, 4)}`,
      },
      publicKey,
      serialNumber: newSerialNumber(),
      ...lifetime(now, days),
      nameConstraints,
    },
    { kind, sign: signerFor(privateKey, kind) },
  );
  return { authority: toAuthority(new X509Certificate(der), privateKey, kind), privateKey };
}

/** Puts an authority together from a certificate and the key that belongs to it. */
export function toAuthority(
  certificate: X509Certificate,
  privateKey: KeyObject,
  key: KeyKind,
): Authority {
  const { nameConstraints } = readCertificate(certificate);
  const permitted = nameConstraints?.permitted;
  return {
    certificate: toPem("CERTIFICATE", certificate.raw),
    subject: certificate.subject.split("\n").join(", "),
    key,
    fingerprint256: certificate.fingerprint256,
    ...validity(certificate),
    constrained: permitted !== undefined && permitted.dns.length > 0 && permitted.ip.length > 0,
    nameConstraints,
    sign: signerFor(privateKey, key),
  };
}

/**
 * Returns a validity of `days` that starts one hour before `now`.
 * Both ends belong to it (RFC 5280 section 4.1.2.5), so it ends one second short of the full days:
 * 825 days and one second would break the limit of Apple platforms.
 */
export function lifetime(now: Date, days: number): Validity {
  const startMs = Math.floor((now.getTime() - BACKDATE_MS) / 1000) * 1000;
  return { notBefore: new Date(startMs), notAfter: new Date(startMs + days * DAY_MS - 1000) };
}

/** Returns a random serial number: positive, without a leading zero byte, 143 bits of entropy. */
export function newSerialNumber(): Buffer {
  const serial = randomBytes(SERIAL_BYTES);
  // RFC 5280 section 4.1.2.2 wants it positive; a first byte of zero would not be minimal DER.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

function signerFor(privateKey: KeyObject, kind: KeyKind): Authority["sign"] {
  const { digest } = signatureAlgorithm(kind);
  return (tbsCertificate) => sign(digest, tbsCertificate, privateKey);
}
