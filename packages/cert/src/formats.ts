import { readX509 } from "./inspect.ts";
import { checkOptionKeys } from "./options.ts";
import { splitPem, toPem } from "./pem.ts";
import type { CertificateWithKey } from "./pkcs12-export.ts";
import { quote } from "./quote.ts";

/** Options of `toKubernetesSecret`. */
export interface KubernetesSecretOptions {
  /** Name of the secret: lower-case letters, digits, "-" and ".", at most 253. */
  readonly name: string;
  /**
   * Namespace: lower-case letters, digits and "-", at most 63.
   *
   * @default none; kubectl takes its current one
   */
  readonly namespace?: string | undefined;
}

const SECRET_KEYS = {
  name: true,
  namespace: true,
} satisfies Record<keyof KubernetesSecretOptions, true>;

/** Kubernetes' names for objects are host names (RFC 1123), those of namespaces single labels. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/**
 * Returns the certificate and all above it in one PEM text, leaf first, each once.
 *
 * @throws {SyntaxError} If the texts hold no certificate
 */
export function toChain({ cert, ca = "" }: Pick<CertificateWithKey, "cert" | "ca">): string {
  const blocks = splitPem(`${cert}\n${ca}`).filter(({ label }) => label === "CERTIFICATE");
  if (blocks.length === 0) throw new SyntaxError("Cannot make a chain: there is no certificate");
  return [...new Set(blocks.map(({ der }) => toPem("CERTIFICATE", der)))].join("");
}

/**
 * Returns the first certificate of a PEM text in DER.
 *
 * @throws {SyntaxError} If there is none
 */
export function toDer(cert: string): Buffer {
  return readX509(cert).raw;
}

/**
 * Returns certificate and key in one PEM text, as HAProxy's `crt` reads it. The CA is left out:
 * HAProxy sends all certificates of the file to every client, and a root is of no use to them.
 */
export function toCombinedPem({ cert, key }: CertificateWithKey): string {
  return `${toChain({ cert })}${key.trimEnd()}\n`;
}

/**
 * Returns the YAML of a Kubernetes secret of type kubernetes.io/tls, with the CA as `ca.crt`.
 *
 * @throws {TypeError} If an option is unknown or malformed
 * @see https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets
 */
export function toKubernetesSecret(
  pair: CertificateWithKey,
  options: KubernetesSecretOptions,
): string {
  checkOptionKeys("toKubernetesSecret", options, SECRET_KEYS);
  const { name, namespace } = options;
  if (typeof name !== "string" || name.length > 253 || !name.split(".").every(isLabel)) {
    throw new TypeError(`name must be a lower-case host name, got ${quote(name)}`);
  }
  if (namespace !== undefined && (typeof namespace !== "string" || !isLabel(namespace))) {
    throw new TypeError(
      `namespace must be lower-case letters, digits and "-", got ${quote(namespace)}`,
    );
  }
  return [
    "apiVersion: v1",
    "kind: Secret",
    "type: kubernetes.io/tls",
    "metadata:",
    // Quoted, since YAML would take a name such as 10 or 1e3 for a number.
    `  name: "${name}"`,
    ...(namespace === undefined ? [] : [`  namespace: "${namespace}"`]),
    "data:",
    ...(pair.ca === undefined ? [] : [`  ca.crt: ${base64(pair.ca)}`]),
    `  tls.crt: ${base64(toChain({ cert: pair.cert }))}`,
    `  tls.key: ${base64(pair.key)}`,
    "",
  ].join("\n");
}

function isLabel(text: string): boolean {
  return text.length <= 63 && LABEL.test(text);
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
