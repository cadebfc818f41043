import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { CertificatePair, CertificateSource } from "@hauberk/tls";
import { parseAuthority } from "./authority.ts";

/**
 * Returns whether this server speaks for the host of a request's authority.
 * `"certificate"` means: for every host that one of its certificates covers. Without this check a forged Host
 * would be reflected in redirects, and a shared HTTP/2 connection would reach sites it was not made for.
 *
 * @see RFC 9110 section 7.4 (421 Misdirected Request)
 */
export function createHostCheck(
  hosts: readonly string[] | "certificate" | "any",
  source: CertificateSource,
): (authority: string) => boolean {
  if (hosts === "any") return () => true;
  if (hosts === "certificate") {
    const certificates = new WeakMap<CertificatePair, X509Certificate>();
    return (authority) => {
      const host = parseAuthority(authority)?.host;
      if (host === undefined) return false;
      const pair = source.certificateFor(isIP(host) === 0 ? host : undefined);
      return pair !== undefined && covers(certificateOf(pair, certificates), host);
    };
  }
  const known = new Set(hosts.map((host) => host.toLowerCase()));
  return (authority) => known.has(parseAuthority(authority)?.host ?? "");
}

function certificateOf(
  pair: CertificatePair,
  certificates: WeakMap<CertificatePair, X509Certificate>,
): X509Certificate {
  const known = certificates.get(pair);
  if (known !== undefined) return known;
  const certificate = new X509Certificate(pair.cert);
  certificates.set(pair, certificate);
  return certificate;
}

function covers(certificate: X509Certificate, host: string): boolean {
  if (isIP(host) !== 0) return certificate.checkIP(host) !== undefined;
  return certificate.checkHost(host, { subject: "never" }) !== undefined;
}
