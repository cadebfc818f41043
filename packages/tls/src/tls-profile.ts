import { suggestion } from "./options.ts";

export type TlsProfileName = "intermediate" | "modern";
export type TlsProtocol = "TLSv1.2" | "TLSv1.3";

/**
 * One configuration of Mozilla's Server Side TLS guideline, as published.
 *
 * @see https://ssl-config.mozilla.org/guidelines/6.0.json
 */
export interface TlsProfile {
  readonly name: TlsProfileName;
  /** Version of the guideline. */
  readonly guideline: string;
  /** Day the guideline was published, ISO 8601. */
  readonly published: string;
  readonly source: string;
  /** Oldest first. */
  readonly protocols: readonly [TlsProtocol, ...TlsProtocol[]];
  /** TLS 1.3 cipher suites, IANA names. */
  readonly cipherSuites: readonly string[];
  /** TLS 1.2 ciphers, OpenSSL names; every one authenticates and has forward secrecy. */
  readonly ciphers: readonly string[];
  /** Key exchange groups, preferred first, OpenSSL names. */
  readonly groups: readonly string[];
  /** False says that the client may choose: it knows whether it has AES in hardware. */
  readonly serverPreferredOrder: boolean;
  readonly certificateTypes: readonly ("ecdsa" | "rsa")[];
  readonly certificateCurves: readonly string[];
  /** Least `max-age` of Strict-Transport-Security. Seconds. */
  readonly hstsMaxAgeSeconds: number;
  /** Lifetime a certificate should have. Days. */
  readonly recommendedLifetimeDays: number;
  /** Lifetime a certificate may have. Days. */
  readonly maximumLifetimeDays: number;
}

const GUIDELINE = {
  guideline: "6.0",
  published: "2026-04-06",
  source: "https://ssl-config.mozilla.org/guidelines/6.0.json",
  cipherSuites: [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
  ],
  groups: ["X25519MLKEM768", "X25519", "prime256v1", "secp384r1"],
  serverPreferredOrder: false,
  certificateCurves: ["prime256v1", "secp384r1"],
  hstsMaxAgeSeconds: 63_072_000,
  recommendedLifetimeDays: 90,
} as const;

const TLS_PROFILES: Readonly<Record<TlsProfileName, TlsProfile>> = {
  intermediate: frozen({
    ...GUIDELINE,
    name: "intermediate",
    protocols: ["TLSv1.2", "TLSv1.3"],
    ciphers: [
      "ECDHE-ECDSA-AES128-GCM-SHA256",
      "ECDHE-RSA-AES128-GCM-SHA256",
      "ECDHE-ECDSA-AES256-GCM-SHA384",
      "ECDHE-RSA-AES256-GCM-SHA384",
      "ECDHE-ECDSA-CHACHA20-POLY1305",
      "ECDHE-RSA-CHACHA20-POLY1305",
    ],
    certificateTypes: ["ecdsa", "rsa"],
    maximumLifetimeDays: 366,
  }),
  modern: frozen({
    ...GUIDELINE,
    name: "modern",
    protocols: ["TLSv1.3"],
    ciphers: [],
    certificateTypes: ["ecdsa"],
    maximumLifetimeDays: 90,
  }),
};

function frozen(profile: TlsProfile): TlsProfile {
  for (const value of Object.values(profile)) Object.freeze(value);
  return Object.freeze(profile);
}

/**
 * Returns Mozilla's profile of that name: "intermediate" for TLS 1.2 and 1.3, "modern" for TLS 1.3 alone.
 *
 * @throws {TypeError} If there is no such profile; the nearest name is suggested.
 */
export function tlsProfile(name: TlsProfileName): TlsProfile {
  if (Object.hasOwn(TLS_PROFILES, name)) return TLS_PROFILES[name];
  const known = Object.keys(TLS_PROFILES);
  throw new TypeError(`Unknown TLS profile ${JSON.stringify(name)}${suggestion(name, known)}`);
}

/**
 * Returns the groups of `profile` that the linked OpenSSL has.
 * ML-KEM arrived in OpenSSL 3.5 (Node 22.20, 24.5); Node 20 refuses the whole list when it meets an unknown name.
 */
export function supportedGroups(
  profile: TlsProfile,
  opensslVersion: string = process.versions.openssl,
): readonly string[] {
  // Probing with createSecureContext would leave its failure in OpenSSL's error queue, where the
  // next failing call reports it as its own.
  const [major = 0, minor = 0] = opensslVersion.split(".").map(Number.parseFloat);
  const hasMlKem = major > 3 || (major === 3 && minor >= 5);
  return profile.groups.filter((group) => hasMlKem || !group.includes("MLKEM"));
}
