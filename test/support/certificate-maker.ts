import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from "node:crypto";
import { isIP } from "node:net";
import { bitString, der, objectIdentifier, pem, sequence, time } from "./der-writer.ts";

/** How a signature is named and made; the defaults fit the signing key. */
export interface SignatureChoice {
  readonly oid: string;
  readonly digest: string | null;
  readonly hasNull?: boolean;
}

/** Everything a certificate can say, right or wrong. */
export interface CertificateRecipe {
  /** Attributes as [dotted type, value]. @default common name "leaf" */
  readonly subject?: readonly (readonly [type: string, value: string])[];
  readonly issuer: readonly (readonly [type: string, value: string])[];
  readonly publicKey: KeyObject;
  readonly signingKey: KeyObject;
  readonly signature?: SignatureChoice;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly serial?: Buffer;
  /** 1 or 3. @default 3 */
  readonly version?: 1 | 3;
  readonly extensions?: readonly Buffer[];
}

const DAY_MS = 86_400_000;
const RSA_SHA256: SignatureChoice = {
  oid: "1.2.840.113549.1.1.11",
  digest: "sha256",
  hasNull: true,
};
const ECDSA_SHA256: SignatureChoice = { oid: "1.2.840.10045.4.3.2", digest: "sha256" };
const ED25519: SignatureChoice = { oid: "1.3.101.112", digest: null };

export const COMMON_NAME = "2.5.4.3";

/** Returns a new P-256 private key. */
export function newKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

/** Encodes and signs a certificate exactly as told. @see RFC 5280 section 4.1 */
export function makeCertificate(recipe: CertificateRecipe): Buffer {
  const serial = recipe.serial ?? Buffer.concat([Buffer.of(0x40), randomBytes(15)]);
  const extensions = recipe.extensions ?? [];
  const version = recipe.version === 1 ? [] : [der(0xa0, der(0x02, Buffer.of(2)))];
  const now = Date.now();
  return signed(
    recipe,
    sequence(
      ...version,
      der(0x02, serial),
      algorithm(choiceFor(recipe)),
      distinguishedName(recipe.issuer),
      sequence(
        time(recipe.notBefore ?? new Date(now - DAY_MS)),
        time(recipe.notAfter ?? new Date(now + 30 * DAY_MS)),
      ),
      distinguishedName(recipe.subject ?? [[COMMON_NAME, "leaf"]]),
      spki(recipe.publicKey),
      ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
    ),
  );
}

/** What a certificate signing request asks for. */
export interface RequestRecipe {
  /** @default none */
  readonly subject?: readonly (readonly [type: string, value: string])[];
  readonly key: KeyObject;
  /** @default the public half of `key` */
  readonly publicKey?: KeyObject;
  readonly signature?: SignatureChoice;
  readonly extensions?: readonly Buffer[];
}

/** Encodes and signs a PKCS#10 request. @see RFC 2986 section 4 */
export function makeRequest(recipe: RequestRecipe): Buffer {
  const extensions = recipe.extensions ?? [];
  const asked = sequence(
    objectIdentifier("1.2.840.113549.1.9.14"),
    der(0x31, sequence(...extensions)),
  );
  const info = sequence(
    der(0x02, Buffer.of(0)),
    distinguishedName(recipe.subject ?? []),
    spki(recipe.publicKey ?? recipe.key),
    der(0xa0, ...(extensions.length > 0 ? [asked] : [])),
  );
  const { signature } = recipe;
  return signed({ signingKey: recipe.key, ...(signature && { signature }) }, info);
}

export function toPem(certificate: Buffer): string {
  return pem("CERTIFICATE", certificate);
}

export function extension(oid: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.of(0xff))] : [];
  return sequence(objectIdentifier(oid), ...critical, der(0x04, value));
}

export function basicConstraints(isAuthority: boolean, pathLength?: number): Buffer {
  const fields = [
    ...(isAuthority ? [der(0x01, Buffer.of(0xff))] : []),
    ...(pathLength === undefined ? [] : [der(0x02, Buffer.of(pathLength))]),
  ];
  return extension("2.5.29.19", sequence(...fields), true);
}

/** Key usage by bit number (RFC 5280 section 4.2.1.3): 0 digitalSignature, 5 keyCertSign, 6 cRLSign. */
export function keyUsage(...bits: readonly number[]): Buffer {
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  return extension("2.5.29.15", bitString(Buffer.of(byte), 7 - Math.max(...bits)), true);
}

/** `1` serverAuth, `2` clientAuth, `3` codeSigning, or a whole object identifier. */
export function extendedKeyUsage(...purposes: readonly string[]): Buffer {
  const ids = purposes.map((id) => (id.includes(".") ? id : `1.3.6.1.5.5.7.3.${id}`));
  return extension("2.5.29.37", sequence(...ids.map(objectIdentifier)));
}

/** Names as DNS names and addresses; "email:a@b" and "uri:x://y" for the others. */
export function alternativeNames(...names: readonly string[]): Buffer {
  return extension("2.5.29.17", sequence(...names.map(generalName)));
}

export function subjectKeyIdentifier(key: KeyObject): Buffer {
  return extension("2.5.29.14", der(0x04, keyIdentifier(key)));
}

export function authorityKeyIdentifier(key: KeyObject): Buffer {
  return extension("2.5.29.35", sequence(der(0x80, keyIdentifier(key))));
}

/** Subtrees in the notation of `generalName`; a range as "10.0.0.0/255.0.0.0". */
export function nameConstraints(
  permitted: readonly string[],
  excluded: readonly string[] = [],
): Buffer {
  const lists = [permitted, excluded].flatMap((subtrees, tag) =>
    subtrees.length === 0
      ? []
      : [der(0xa0 + tag, ...subtrees.map((base) => sequence(generalName(base))))],
  );
  return extension("2.5.29.30", sequence(...lists), true);
}

export function generalName(name: string): Buffer {
  const [, type, value = ""] = /^(email|uri|dns|raw-ip):(.*)$/s.exec(name) ?? [];
  if (type === "email") return der(0x81, Buffer.from(value, "latin1"));
  if (type === "dns") return der(0x82, Buffer.from(value, "latin1"));
  if (type === "uri") return der(0x86, Buffer.from(value, "latin1"));
  if (type === "raw-ip") return der(0x87, Buffer.from(value, "hex"));
  const parts = name.split("/");
  if (parts.every((part) => isIP(part) === 4)) {
    return der(0x87, ...parts.map((part) => Buffer.from(part.split(".").map(Number))));
  }
  return der(0x82, Buffer.from(name, "latin1"));
}

function signed(
  recipe: { readonly signingKey: KeyObject; readonly signature?: SignatureChoice },
  content: Buffer,
): Buffer {
  const choice = choiceFor(recipe);
  const signature = sign(choice.digest, content, recipe.signingKey);
  return sequence(content, algorithm(choice), bitString(signature));
}

function choiceFor(recipe: {
  readonly signingKey: KeyObject;
  readonly signature?: SignatureChoice;
}): SignatureChoice {
  if (recipe.signature !== undefined) return recipe.signature;
  if (recipe.signingKey.asymmetricKeyType === "rsa") return RSA_SHA256;
  return recipe.signingKey.asymmetricKeyType === "ed25519" ? ED25519 : ECDSA_SHA256;
}

function algorithm({ oid, hasNull = false }: SignatureChoice): Buffer {
  return sequence(objectIdentifier(oid), ...(hasNull ? [der(0x05)] : []));
}

function distinguishedName(
  attributes: readonly (readonly [type: string, value: string])[],
): Buffer {
  return sequence(
    ...attributes.map(([type, value]) =>
      der(0x31, sequence(objectIdentifier(type), der(0x0c, Buffer.from(value)))),
    ),
  );
}

function spki(key: KeyObject): Buffer {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ type: "spki", format: "der" });
}

function keyIdentifier(key: KeyObject): Buffer {
  return createHash("sha256").update(spki(key)).digest().subarray(0, 20);
}
