export { sharedStoreConformance, storeConformance } from "./store-conformance.ts";
export type { ConformanceCase, ConformanceOptions } from "./store-conformance.ts";
export { VirtualClock } from "./virtual-clock.ts";
