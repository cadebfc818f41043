import { MemoryStore, createLimiter } from "@hauberk/rate-limit";

/** What the process that floods a store with unique keys reports. */
export interface FloodReport {
  /** Resident memory after the first and after the last tenth of the flood. Bytes. */
  readonly residentBytes: readonly [number, number];
  /** Attempts of keys that were limited before the flood, made during and after it. */
  readonly abuserAttempts: number;
  readonly abusersAdmitted: number;
  readonly slots: number;
}

const ABUSERS = 200;
const KEYS_BETWEEN_ATTEMPTS = 200_000;

/** Sends `keys` unique keys through a store of the default size, at a pace of 200,000 a second. */
function flood(keys: number): FloodReport {
  let now = 0;
  const store = new MemoryStore();
  const limiter = createLimiter({ limit: 100, windowMs: 60_000 }, { store, clock: () => now });
  const abusers = Array.from({ length: ABUSERS }, (_, index) => `abuser-${index}`);
  for (const abuser of abusers) limiter.consume(abuser, 100);

  let abuserAttempts = 0;
  let abusersAdmitted = 0;
  let early = 0;
  for (let index = 1; index <= keys; index++) {
    // The abusers earn nothing back meanwhile, so not one attempt may be admitted.
    now = (index / keys) * 599;
    limiter.consume(`2001:db8:${index.toString(16)}::/64`);
    if (index % KEYS_BETWEEN_ATTEMPTS === 0) {
      abuserAttempts += abusers.length;
      abusersAdmitted += abusers.filter((key) => limiter.consume(key).kind === "admitted").length;
    }
    if (index === keys / 10) early = residentBytes();
  }
  const residents = [early, residentBytes()] as const;
  return { residentBytes: residents, abuserAttempts, abusersAdmitted, slots: store.capacity };
}

function residentBytes(): number {
  return process.memoryUsage.rss();
}

if (process.send !== undefined) process.send(flood(Number(process.argv[2])));
