import { createPublicKey, KeyObject, X509Certificate } from "node:crypto";
import { lifetime, newSerialNumber, type Authority } from "./authority.ts";
import type { ExtendedKeyUsage } from "./certificate-builder.ts";
import { readCertificate } from "./certificate-reader.ts";
import { CertError } from "./errors.ts";
import { keyIdentifier } from "./key-identifier.ts";
import {
  generatePrivateKey,
  keyKind,
  keyKindOption,
  keyName,
  toPrivateKeyPem,
  type KeyKind,
} from "./key-pair.ts";
import { isPermitted } from "./name-constraints.ts";
import { booleanOption, checkOptionKeys, dateOption, integerOption } from "./options.ts";
import { toPem } from "./pem.ts";
import { quote } from "./quote.ts";
import type { Validity } from "./renewal.ts";
import { parseSubjectNames, type SubjectName } from "./subject-names.ts";

/** What the subject of a leaf says unless told otherwise. */
const DEFAULT_ORGANIZATION = "Hauberk development certificate";
/** RFC 5280 appendix A.1, ub-common-name and ub-organization-name. */
const MAX_ATTRIBUTE_CHARS = 64;
/** Characters, not bytes; white space only between others. */
const ORGANIZATION = new RegExp(
  `^(?!\\s)[^\\p{Cc}\\p{Cs}]{1,${MAX_ATTRIBUTE_CHARS}}(?<!\\s)$`,
  "u",
);
/** Apple platforms refuse certificates of private CAs that last longer. */
const MAX_DAYS = 825;
const MAX_LONG_LIVED_DAYS = 7300;
const DAY_MS = 86_400_000;

/** What a certificate is for: a TLS server, a TLS client, or both. */
export type CertificatePurpose = "server" | "client" | "both";

/** The extended key usages behind each purpose (RFC 5280 section 4.2.1.12). */
export const PURPOSE_USAGES: Readonly<Record<CertificatePurpose, readonly ExtendedKeyUsage[]>> = {
  server: ["serverAuth"],
  client: ["clientAuth"],
  both: ["serverAuth", "clientAuth"],
};

/** Options of `issueCertificate`. */
export interface IssueOptions {
  /** Host names, wildcards, IP addresses, e-mail addresses and URIs, in any form; 1 to 100. */
  readonly names: readonly string[];
  /**
   * Kind of key to generate, or the private key to certify, as when a certificate is renewed.
   *
   * @default "p256"
   */
  readonly key?: KeyKind | KeyObject | undefined;
  /**
   * Lifetime in days, counted from its backdated start; integer 1 to 825, with `longLived` to 7300.
   * Cut to the end of the CA.
   *
   * @default 90
   */
  readonly days?: number | undefined;
  /**
   * Allow more than 825 days, which Apple platforms refuse.
   *
   * @default false
   */
  readonly longLived?: boolean | undefined;
  /**
   * Issue a certificate that ended a day ago, after `days` days: for tests of refusal and renewal.
   *
   * @default false
   */
  readonly expired?: boolean | undefined;
  /**
   * What the certificate is for. One for clients is named after its first DNS name or e-mail address.
   *
   * @default "server"
   */
  readonly purpose?: CertificatePurpose | undefined;
  /**
   * Organization in the subject, 1 to 64 characters.
   *
   * @default "Hauberk development certificate"
   */
  readonly organization?: string | undefined;
  /**
   * Issue also for names that the CA's name constraints exclude. Clients refuse such a certificate:
   * this is for tests that show it.
   *
   * @default false
   */
  readonly outsideConstraints?: boolean | undefined;
  /**
   * Present time; the certificate is valid from one hour before, but not from before its CA.
   *
   * @default the system clock
   */
  readonly now?: Date | undefined;
}

/** The options that hold wherever names and key come from. */
export type LeafOptions = Omit<IssueOptions, "names" | "key">;

/** Their keys, for `checkOptionKeys`. */
export const LEAF_OPTION_KEYS: Readonly<Record<keyof LeafOptions, true>> = {
  days: true,
  longLived: true,
  expired: true,
  purpose: true,
  organization: true,
  outsideConstraints: true,
  now: true,
};

const OPTION_KEYS = {
  names: true,
  key: true,
  ...LEAF_OPTION_KEYS,
} satisfies Record<keyof IssueOptions, true>;

/** A certificate for a key that its owner keeps. */
export interface SignedCertificate extends Validity {
  /** Certificate, PEM. */
  readonly cert: string;
  /** Certificate of the CA, PEM. */
  readonly ca: string;
  /** The names in canonical form. */
  readonly names: readonly string[];
  /** In upper-case hexadecimal. */
  readonly serialNumber: string;
}

/** A certificate with its private key and its CA. */
export interface IssuedCertificate extends SignedCertificate {
  /** Private key, PKCS#8 PEM, not encrypted. */
  readonly key: string;
}

/** What goes into a certificate besides the key: checked, complete. */
export interface LeafSettings {
  readonly names: readonly SubjectName[];
  readonly validity: Validity;
  readonly purpose: CertificatePurpose;
  readonly organization: string;
}

/**
 * Issues a certificate for a TLS server, a TLS client or both.
 *
 * @throws {TypeError} If a name or an option is malformed
 * @throws {RangeError} If `days` is out of range
 * @throws {CertError} ERR_CERT_NAME_NOT_PERMITTED when the CA is not allowed to sign a name
 * @throws {CertError} ERR_CERT_AUTHORITY_EXPIRED, ERR_CERT_AUTHORITY_NOT_YET_VALID when the CA is
 *   not valid at `now`
 */
export async function issueCertificate(
  authority: Authority,
  options: IssueOptions,
): Promise<IssuedCertificate> {
  checkOptionKeys("issueCertificate", options, OPTION_KEYS);
  const settings = leafSettings(authority, parseSubjectNames(options.names), options);
  const privateKey = await privateKeyOption(options.key);
  const signed = await signLeaf(authority, createPublicKey(privateKey), settings);
  return { key: toPrivateKeyPem(privateKey), ...signed };
}

/** Returns what a certificate for `names` will say; throws as `issueCertificate` does. */
export function leafSettings(
  authority: Authority,
  names: readonly SubjectName[],
  options: LeafOptions,
): LeafSettings {
  const days = daysOption(options);
  const now = dateOption("now", options.now);
  const purpose = purposeOption("purpose", options.purpose);
  const organization = organizationOption("organization", options.organization);
  const isExpired = booleanOption("expired", options.expired);
  assertValid(authority, now);
  const validity = isExpired ? lifetimePast(now, days) : lifetimeWithin(authority, now, days);
  if (!booleanOption("outsideConstraints", options.outsideConstraints)) {
    assertPermitted(authority, names);
  }
  return { names, validity, purpose, organization };
}

/**
 * Returns the lifetime in days, 90 when absent.
 *
 * @throws {TypeError | RangeError} If it is no integer within the bounds, or needs `longLived`
 */
export function daysOption({ days, longLived }: Pick<LeafOptions, "days" | "longLived">): number {
  const max = booleanOption("longLived", longLived) ? MAX_LONG_LIVED_DAYS : MAX_DAYS;
  return integerOption("days", days, { fallback: 90, min: 1, max });
}

/** @throws {TypeError} If the value is no purpose */
export function purposeOption(
  path: string,
  value: CertificatePurpose | undefined,
): CertificatePurpose {
  if (value === undefined) return "server";
  if (typeof value === "string" && Object.hasOwn(PURPOSE_USAGES, value)) return value;
  throw new TypeError(`${path} must be one of server, client, both, got ${quote(value)}`);
}

/** @throws {TypeError} If the value is no text that a subject can carry */
export function organizationOption(path: string, value: string | undefined): string {
  if (value === undefined) return DEFAULT_ORGANIZATION;
  if (typeof value === "string" && ORGANIZATION.test(value)) return value;
  throw new TypeError(
    `${path} must be 1 to ${MAX_ATTRIBUTE_CHARS} characters without control characters or spaces ` +
      `around, got ${quote(value)}`,
  );
}

/** Signs a certificate for a public key whose owner is known to hold the private one. */
export async function signLeaf(
  authority: Authority,
  publicKey: KeyObject,
  { names, validity, purpose, organization }: LeafSettings,
): Promise<SignedCertificate> {
  const { buildLeafCertificate } = await import("./certificate-builder.ts");
  const issuerCertificate = new X509Certificate(authority.certificate);
  const issuer = readCertificate(issuerCertificate);
  const serialNumber = newSerialNumber();
  const commonName = commonNameOf(names, purpose);
  const der = buildLeafCertificate(
    {
      subject: { organization, ...(commonName === undefined ? {} : { commonName }) },
      names,
      extendedKeyUsages: PURPOSE_USAGES[purpose],
      publicKey,
      serialNumber,
      ...validity,
      issuer: issuer.subject,
      issuerKeyIdentifier:
        issuer.subjectKeyIdentifier ?? keyIdentifier(issuerCertificate.publicKey),
    },
    { kind: authority.key, sign: authority.sign },
  );
  return {
    cert: toPem("CERTIFICATE", der),
    ca: authority.certificate,
    names: names.map(({ value }) => value),
    serialNumber: serialNumber.toString("hex").toUpperCase(),
    ...validity,
  };
}

async function privateKeyOption(key: KeyKind | KeyObject | undefined): Promise<KeyObject> {
  if (!(key instanceof KeyObject)) return generatePrivateKey(keyKindOption("key", key) ?? "p256");
  if (key.type === "private" && keyKind(key) !== undefined) return key;
  throw new TypeError(
    `key must be a private key of a supported kind, got a ${key.type} key (${keyName(key)})`,
  );
}

/**
 * Never an address: OpenSSL holds it against the DNS constraints of the CA when there is no DNS name
 * (NAME_CONSTRAINTS_check_CN). An e-mail address it passes over, and servers show it as the user.
 */
function commonNameOf(
  names: readonly SubjectName[],
  purpose: CertificatePurpose,
): string | undefined {
  const types = purpose === "server" ? ["dns"] : ["dns", "email"];
  return names.find(
    ({ type, value }) => types.includes(type) && value.length <= MAX_ATTRIBUTE_CHARS,
  )?.value;
}

function assertValid(authority: Authority, now: Date): void {
  if (now > authority.notAfter) {
    throw new CertError(
      "ERR_CERT_AUTHORITY_EXPIRED",
      `Cannot issue a certificate: the CA expired on ${authority.notAfter.toISOString()}`,
    );
  }
  if (now < authority.notBefore) {
    throw new CertError(
      "ERR_CERT_AUTHORITY_NOT_YET_VALID",
      `Cannot issue a certificate: the CA starts on ${authority.notBefore.toISOString()}; check the clock`,
    );
  }
}

/** A whole day ago, so that a client whose clock is hours behind refuses it as well. */
function lifetimePast(now: Date, days: number): Validity {
  return lifetime(new Date(now.getTime() - (days + 1) * DAY_MS), days);
}

function lifetimeWithin(authority: Authority, now: Date, days: number): Validity {
  const { notBefore, notAfter } = lifetime(now, days);
  return {
    notBefore: notBefore < authority.notBefore ? authority.notBefore : notBefore,
    notAfter: notAfter > authority.notAfter ? authority.notAfter : notAfter,
  };
}

function assertPermitted(authority: Authority, names: readonly SubjectName[]): void {
  const { nameConstraints } = authority;
  if (nameConstraints === undefined) return;
  const refused = names.find((name) => !isPermitted(nameConstraints, name));
  if (refused === undefined) return;
  const { dns, ip } = nameConstraints.permitted;
  throw new CertError(
    "ERR_CERT_NAME_NOT_PERMITTED",
    `Cannot issue a certificate for ${quote(refused.value)}: it lies outside what this CA may sign ` +
      `(${[...dns, ...ip].join(", ")})`,
  );
}
