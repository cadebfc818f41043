import { constants } from "node:crypto";
import type { SecureContext, SecureContextOptions } from "node:tls";
import { createSecureContext as createNodeContext } from "node:tls";
import type { CertificatePair } from "./certificate-pair.ts";
import { validateCertificatePair } from "./certificate-pair.ts";
import type { TlsProfile, TlsProfileName } from "./tls-profile.ts";
import { supportedGroups, tlsProfile } from "./tls-profile.ts";

export interface SecureContextSettings {
  /** @default "intermediate" */
  readonly profile?: TlsProfileName | undefined;
  /** Current time in milliseconds since 1970. @default Date.now */
  readonly now?: (() => number) | undefined;
}

// Every SHA-2 scheme a certificate of ours can need, and no SHA-1 (RFC 9155).
const SIGNATURE_ALGORITHMS = [
  "ecdsa_secp256r1_sha256",
  "ecdsa_secp384r1_sha384",
  "ecdsa_secp521r1_sha512",
  "ed25519",
  "rsa_pss_rsae_sha256",
  "rsa_pss_rsae_sha384",
  "rsa_pss_rsae_sha512",
  "rsa_pss_pss_sha256",
  "rsa_pss_pss_sha384",
  "rsa_pss_pss_sha512",
  "rsa_pkcs1_sha256",
  "rsa_pkcs1_sha384",
  "rsa_pkcs1_sha512",
].join(":");

/**
 * Returns the complete options of node:tls for this pair: profile, pair, no renegotiation. Hand all
 * of them to `setSecureContext` every time: what it is not given it resets, so `{ key, cert }` alone
 * opens a TLS 1.3 server to TLS 1.2.
 *
 * @throws {TypeError} If there is no such profile.
 * @throws {TlsError} If the pair cannot be used, as `validateCertificatePair` says.
 */
export function secureContextOptions(
  pair: CertificatePair,
  settings: SecureContextSettings = {},
): Readonly<SecureContextOptions> {
  const profile = tlsProfile(settings.profile ?? "intermediate");
  validateCertificatePair(pair, { now: settings.now });
  return Object.freeze({ ...profileOptions(profile), key: pair.key, cert: pair.cert });
}

/**
 * Returns a context of node:tls that presents this pair under the profile.
 *
 * @throws {TypeError} If there is no such profile.
 * @throws {TlsError} If the pair cannot be used, as `validateCertificatePair` says.
 */
export function createSecureContext(
  pair: CertificatePair,
  settings: SecureContextSettings = {},
): SecureContext {
  return createNodeContext(secureContextOptions(pair, settings));
}

function profileOptions(profile: TlsProfile): SecureContextOptions {
  // Mozilla leaves the order to the client so that a device without AES in hardware can put ChaCha20
  // first; testssl rates any server without an order HIGH once it speaks TLS 1.2. With
  // PRIORITIZE_CHACHA the device still gets what it put first.
  const hasOrder = profile.serverPreferredOrder || profile.protocols.includes("TLSv1.2");
  return {
    minVersion: profile.protocols[0],
    maxVersion: profile.protocols.at(-1) ?? profile.protocols[0],
    ciphers: [...profile.cipherSuites, ...profile.ciphers].join(":"),
    honorCipherOrder: hasOrder,
    ecdhCurve: supportedGroups(profile).join(":"),
    sigalgs: SIGNATURE_ALGORITHMS,
    // RFC 5746 keeps renegotiation safe from injection, but a client still makes the server compute for free.
    secureOptions:
      constants.SSL_OP_NO_RENEGOTIATION |
      constants.SSL_OP_NO_COMPRESSION |
      (hasOrder ? constants.SSL_OP_PRIORITIZE_CHACHA : 0),
    // Resumption needs the same value in every context and process; node's default hashes process.argv.
    sessionIdContext: `hauberk ${profile.name}`,
    // No client certificate is asked for, and an empty store stops OpenSSL completing the chain by guesswork.
    ca: [],
  };
}
