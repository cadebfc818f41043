import type { KeyObject } from "node:crypto";
import {
  alternativeNames,
  authorityKeyIdentifier,
  basicConstraints,
  COMMON_NAME,
  extendedKeyUsage,
  keyUsage,
  makeCertificate,
  newKey,
  subjectKeyIdentifier,
  toPem,
  type CertificateRecipe,
} from "./certificate-maker.ts";

/** What one certificate of a chain says instead of the good thing. */
export interface LinkRecipe extends Partial<Omit<CertificateRecipe, "extensions">> {
  readonly key?: KeyObject;
  /** Takes the key of the certificate and of its issuer; replaces all extensions. */
  readonly extensions?: (key: KeyObject, issuerKey: KeyObject) => readonly Buffer[];
}

/** A chain as a verifier gets it, PEM. */
export interface MadeChain {
  readonly leaf: string;
  /** From the one that signed the leaf upwards. */
  readonly intermediates: readonly string[];
  readonly root: string;
}

/** Root first. */
export type ChainRecipe = readonly LinkRecipe[];

/** Extensions of a good CA. */
export function authorityExtensions(
  key: KeyObject,
  issuerKey: KeyObject,
  pathLength?: number,
): Buffer[] {
  return [
    basicConstraints(true, pathLength),
    keyUsage(5, 6),
    subjectKeyIdentifier(key),
    authorityKeyIdentifier(issuerKey),
  ];
}

/** Extensions of a good server certificate. */
export function leafExtensions(
  key: KeyObject,
  issuerKey: KeyObject,
  ...names: readonly string[]
): Buffer[] {
  return [
    basicConstraints(false),
    keyUsage(0),
    extendedKeyUsage("1"),
    alternativeNames(...(names.length > 0 ? names : ["app.test"])),
    subjectKeyIdentifier(key),
    authorityKeyIdentifier(issuerKey),
  ];
}

/** Makes a chain of a root, any number of intermediates and a leaf; good wherever nothing is told. */
export function makeChain(recipe: ChainRecipe): MadeChain {
  let issuer: { name: CertificateRecipe["issuer"]; key: KeyObject } | undefined;
  const certificates = recipe.map((link, index) => {
    const isLeaf = index === recipe.length - 1;
    const key = link.key ?? newKey();
    const name = link.subject ?? [[COMMON_NAME, isLeaf ? "app.test" : `CA ${index}`]];
    const signer = issuer ?? { name, key };
    const extensions = (link.extensions ?? (isLeaf ? leafExtensions : authorityExtensions))(
      key,
      signer.key,
    );
    const made = makeCertificate({
      ...link,
      subject: name,
      issuer: link.issuer ?? signer.name,
      publicKey: link.publicKey ?? key,
      signingKey: link.signingKey ?? signer.key,
      extensions,
    });
    issuer = { name, key };
    return toPem(made);
  });
  const [root = "", ...rest] = certificates;
  const leaf = rest.at(-1) ?? root;
  return { leaf, root, intermediates: rest.slice(0, -1).toReversed() };
}
