export {
  localMachine,
  type Command,
  type CommandResult,
  type Machine,
  type MachineOptions,
} from "./machine.ts";
export { readTrustAnchor, type ReadTrustAnchorOptions, type TrustAnchor } from "./trust-anchor.ts";
export { trustEnvironment, type TrustVariable } from "./trust-environment.ts";
export type {
  Obstacle,
  TrustChange,
  TrustStatus,
  TrustStore,
  TrustStoreName,
} from "./trust-store.ts";
export { TRUST_STORE_NAMES, trustStores, type TrustStoresOptions } from "./trust-stores.ts";
