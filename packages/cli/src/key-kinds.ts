import type { KeyKind } from "@hauberk/cert";

/** What `--key` takes. */
export const KEY_KINDS: readonly KeyKind[] = [
  "p256",
  "p384",
  "ed25519",
  "rsa2048",
  "rsa3072",
  "rsa4096",
];
