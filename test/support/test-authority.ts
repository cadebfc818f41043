import type { KeyObject } from "node:crypto";
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import { bitString, der, objectIdentifier, pem, sequence, time } from "./der-writer.ts";

/** A private key and its certificate, as the packages take them: leaf first, then intermediates. */
export interface TestPair {
  readonly key: string;
  readonly cert: string;
}

export interface TestLeafOptions {
  /** Subject alternative names: DNS names, wildcards, IPv4 addresses. @default ["localhost"] */
  readonly names?: readonly string[];
  /** @default an hour ago */
  readonly notBefore?: Date;
  /** @default in 90 days */
  readonly notAfter?: Date;
  /** @default a new P-256 pair */
  readonly keyPair?: TestKeyPair;
  /** Extended key usage. @default "serverAuth" */
  readonly purpose?: "serverAuth" | "clientAuth";
}

interface TestKeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A certificate authority that exists for one test; written with node:crypto alone. */
export interface TestAuthority {
  /** The authority's own certificate, PEM. */
  readonly certificate: string;
  /** Certificates between a leaf of this authority and the root, PEM; empty for the root itself. */
  readonly chain: string;
  issue(options?: TestLeafOptions): TestPair;
  intermediate(commonName: string): TestAuthority;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ECDSA_WITH_SHA256 = sequence(objectIdentifier("1.2.840.10045.4.3.2"));
const PURPOSE_OIDS = { serverAuth: "1.3.6.1.5.5.7.3.1", clientAuth: "1.3.6.1.5.5.7.3.2" } as const;

/** Returns a new self-signed root on P-256. */
export function testAuthority(commonName = "Hauberk test root"): TestAuthority {
  const keyPair = newKeyPair();
  const certificate = authorityCertificate(commonName, keyPair, commonName, keyPair.privateKey);
  return authority(commonName, keyPair.privateKey, certificate, "");
}

function authority(
  name: string,
  privateKey: KeyObject,
  certificate: string,
  chain: string,
): TestAuthority {
  return {
    certificate,
    chain,
    issue: (options = {}) => {
      const keyPair = options.keyPair ?? newKeyPair();
      const names = options.names ?? ["localhost"];
      const leaf = certificatePem({
        subject: names[0] ?? "",
        publicKey: keyPair.publicKey,
        notBefore: options.notBefore ?? new Date(Date.now() - HOUR_MS),
        notAfter: options.notAfter ?? new Date(Date.now() + 90 * DAY_MS),
        extensions: [
          extension("2.5.29.37", sequence(objectIdentifier(purposeOid(options)))),
          extension("2.5.29.17", sequence(...names.map(generalName))),
        ],
        issuer: name,
        signingKey: privateKey,
      });
      return { key: pkcs8(keyPair.privateKey), cert: leaf + chain };
    },
    intermediate: (commonName) => {
      const keyPair = newKeyPair();
      const intermediate = authorityCertificate(commonName, keyPair, name, privateKey);
      return authority(commonName, keyPair.privateKey, intermediate, intermediate + chain);
    },
  };
}

function purposeOid(options: TestLeafOptions): string {
  return PURPOSE_OIDS[options.purpose ?? "serverAuth"];
}

function newKeyPair(): TestKeyPair {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

function pkcs8(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function authorityCertificate(
  subject: string,
  keyPair: TestKeyPair,
  issuer: string,
  signingKey: KeyObject,
): string {
  return certificatePem({
    subject,
    publicKey: keyPair.publicKey,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + 365 * DAY_MS),
    extensions: [
      extension("2.5.29.19", sequence(der(0x01, Buffer.of(0xff))), true),
      // keyCertSign and cRLSign, RFC 5280 section 4.2.1.3
      extension("2.5.29.15", der(0x03, Buffer.of(1, 0b0000_0110)), true),
    ],
    issuer,
    signingKey,
  });
}

interface CertificateFields {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Buffer[];
  readonly issuer: string;
  readonly signingKey: KeyObject;
}

/** Encodes and signs a version 3 certificate. @see RFC 5280 section 4.1 */
function certificatePem(fields: CertificateFields): string {
  const serial = randomBytes(16);
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  const identifiers = [
    extension("2.5.29.14", der(0x04, keyIdentifier(fields.publicKey))),
    extension("2.5.29.35", sequence(der(0x80, keyIdentifier(createPublicKey(fields.signingKey))))),
  ];
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, serial),
    ECDSA_WITH_SHA256,
    distinguishedName(fields.issuer),
    sequence(time(fields.notBefore), time(fields.notAfter)),
    distinguishedName(fields.subject),
    fields.publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...identifiers, ...fields.extensions)),
  );
  const signature = sign("sha256", toBeSigned, fields.signingKey);
  const certificate = sequence(toBeSigned, ECDSA_WITH_SHA256, bitString(signature));
  return pem("CERTIFICATE", certificate);
}

function keyIdentifier(publicKey: KeyObject): Buffer {
  const spki = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(spki).digest().subarray(0, 20);
}

function distinguishedName(commonName: string): Buffer {
  const value = der(0x0c, Buffer.from(commonName));
  return sequence(der(0x31, sequence(objectIdentifier("2.5.4.3"), value)));
}

function extension(oid: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.of(0xff))] : [];
  return sequence(objectIdentifier(oid), ...critical, der(0x04, value));
}

function generalName(name: string): Buffer {
  return isIP(name) === 4
    ? der(0x87, Buffer.from(name.split(".").map(Number)))
    : der(0x82, Buffer.from(name));
}
