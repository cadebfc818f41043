import { createPublicKey, KeyObject, X509Certificate } from "node:crypto";
import { lifetime, newSerialNumber, type Authority } from "./authority.ts";
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

const ORGANIZATION = "Hauberk development certificate";
/** RFC 5280 appendix A.1, ub-common-name. */
const MAX_COMMON_NAME_CHARS = 64;

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
   * Lifetime in days, counted from its backdated start; integer 1 to 825.
   * Cut to the end of the CA.
   *
   * @default 90
   */
  readonly days?: number | undefined;
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
}

/**
 * Issues a certificate for a TLS server (serverAuth).
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
  const days = integerOption("days", options.days, { fallback: 90, min: 1, max: 825 });
  const validity = lifetimeWithin(authority, dateOption("now", options.now), days);
  if (!booleanOption("outsideConstraints", options.outsideConstraints)) {
    assertPermitted(authority, names);
  }
  return { names, validity };
}

/** Signs a certificate for a public key whose owner is known to hold the private one. */
export async function signLeaf(
  authority: Authority,
  publicKey: KeyObject,
  { names, validity }: LeafSettings,
): Promise<SignedCertificate> {
  const { buildLeafCertificate } = await import("./certificate-builder.ts");
  const issuerCertificate = new X509Certificate(authority.certificate);
  const issuer = readCertificate(issuerCertificate);
  const serialNumber = newSerialNumber();
  const commonName = names.find(
    ({ type, value }) => type === "dns" && value.length <= MAX_COMMON_NAME_CHARS,
  )?.value;
  const der = buildLeafCertificate(
    {
      // Never an address as common name: OpenSSL holds it against the DNS constraints of the CA
      // when there is no DNS name (NAME_CONSTRAINTS_check_CN).
      subject: { organization: ORGANIZATION, ...(commonName === undefined ? {} : { commonName }) },
      names,
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

function lifetimeWithin(authority: Authority, now: Date, days: number): Validity {
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
