export { storeConformance } from "./store-conformance.ts";
export type { ConformanceCase, StoreConformanceOptions } from "./store-conformance.ts";
export { VirtualClock } from "./virtual-clock.ts";
